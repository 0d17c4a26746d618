/// A table for a person, with aligned columns.
struct Table {
  private var rows: [[String]]
  private let right: Set<Int>

  /// - Parameters:
  ///   - header: the titles of the columns.
  ///   - right: the indices of the columns that are aligned to the right, such as numbers.
  init(_ header: [String], right: Set<Int> = []) {
    rows = [header]
    self.right = right
  }

  mutating func add(_ row: [String]) { rows.append(row.map { plainText($0) }) }

  /// One line for each row, with two spaces between columns and no spaces at the end.
  var text: String {
    let widths = rows.reduce(into: [Int](repeating: 0, count: rows[0].count)) { widths, row in
      for (column, cell) in row.enumerated() { widths[column] = max(widths[column], cell.count) }
    }
    let lines = rows.map { row in
      let cells = row.enumerated().map { column, cell in
        let space = String(repeating: " ", count: widths[column] - cell.count)
        return right.contains(column) ? space + cell : cell + space
      }
      let line = cells.joined(separator: "  ")
      return String(line.reversed().drop { $0 == " " }.reversed()) + "\n"
    }
    return lines.joined()
  }
}
