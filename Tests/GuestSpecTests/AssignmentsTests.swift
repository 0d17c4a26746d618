import GuestSpec
import Testing

@Suite("Files like os-release")
struct AssignmentsTests {
  @Test("a file like os-release is read without its quotes, its comments and the lines that assign nothing")
  func read() {
    let text = """
      # a comment=here
      PRETTY_NAME="Debian GNU/Linux 13 (trixie)"
      ID=debian\r
      VERSION_ID='13'
      BUILD_ID=
      no assignment
      VARIANT="a \\"quoted\\" one"

      """
    #expect(
      assignments(in: text) == [
        "PRETTY_NAME": "Debian GNU/Linux 13 (trixie)", "ID": "debian", "VERSION_ID": "13", "BUILD_ID": "",
        "VARIANT": "a \"quoted\" one",
      ])
  }
}
