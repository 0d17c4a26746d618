/// What a log message is about, as `MESSAGE_ID=` in the journal: programs find messages by it, whatever the words are.
///
/// The table of all ids, one for each message. Make an id with `systemd-id128 new`. It is never changed, and never given to another
/// message: what monitors dormoused relies on it. docs/messages.md lists the same ids with the fields of each message.
enum MessageID: String, CaseIterable {
  // A guest's life.
  case asleep = "5b81d615822d4625b9f0fcc311f71ebe"
  case waking = "7faec6c2a32348b4ac8573cc2fe75b64"
  case started = "fb74e9b118cb4e6fa4fac8acd53bcbb5"
  case ready = "8e266f24518e4aa49cbb1c91c269dc25"
  case idle = "7a547879b3fd48ae85bda7a7a4f904be"
  case frozen = "f2bfa82f1f6443f79733c097cd99178f"
  case thawed = "76d5c239622040958e523f128e138ac9"
  case cannotFreeze = "86c5027afad149c3be4fb3e4fa4439f3"
  case cannotThaw = "7062ce5c5d484dc987851a7fca5baaf3"
  case stopCancelled = "2ad4f8d35d534694bb3dfd8b0574544b"
  case selfShutdown = "9aac7cf2dce3436aaf596a3d9c2c912d"
  case shutdownAborted = "b0d0e217af574cfda683d21a59376b1e"
  case cannotMonitorData = "5e9aa45c79e6443999d78340a769f9f7"
  case cannotReclaim = "8416e6bf295348c08852831caaa4b2ad"
  case cannotPark = "ced7145d58fd4d689788025a217c42b3"
  case cannotUnpark = "44bec4b9482c46fbbeef805a8cd71448"
  case haltRequested = "ebabc3f89211495da49e97886cc3a28b"
  case killing = "e01762ac02824ecebbfb90329010ff21"
  case stopped = "7ad2b81b40d440ceb062e74517c8ce13"
  case paused = "65774af652cd424fa68b58d33957469f"
  case foundOrphan = "db085454c45141aab8f46ed7cc688f69"
  case cannotEnumerateOrphans = "19330727a0594530b53462cc331d32e7"
  case noTimer = "1ae45bb40d7043998b29b9302bad8b4f"

  // What the guest makes of its sockets, and what it reports.
  case notAdopted = "adc311be00a945029b13bbb813fc61f6"
  case listenerClosed = "3a4ed429c4314974a36a76ab06c17c9d"
  case repaired = "b4688e5982eb4eb8ace8858d7d4cca3d"
  case cannotScan = "3760b8ae9f8c4462b0e12d7e96c6d5c7"
  case guestReported = "1a0d243445f14d028f1f52d3c6c0a67d"
  case outOfMemory = "e35493f9d48a4e90b7eba1bca38026aa"

  // What a backend reports of an instance (InstanceRemark).
  case noDevicePolicy = "8193894693b34ce2811998e38305911e"
  case unmet = "8da71203d09446aaaa785fc3877b478c"
  case notCarriedOut = "502b7164eda54714a838368ec7ef28bf"
  case sameMachineID = "21d009be188246188eb39d846c5c7937"
  case forwarding = "5d4377f59b624591bd635c819906cbe5"
  case cannotForward = "b25974e5b45d489099a5b8543bf57d43"
  case notFromLoopback = "d468899006ea46288a6615f410f09253"
  case notRegistered = "38df6ceaff264eeaa7b6e9f1e5222a36"
  case cannotEnd = "4fe588587f764b53b197413f7594bd9d"

  // The daemon.
  case problem = "0638d2c01f524d438d414ea8fc6447af"
  case noGuests = "23ec5e0f530f4be8ae732fef0135e977"
  case noSuchGuest = "96b9880808bc46168af04c23b752b801"
  case notPassed = "8e5c742d885f4efaba6e3210768f7cb9"
  case notWanted = "7848abce625f4ab3b6a3e30f27ad52b6"
  case cannotStore = "c589a37466694ba29e33a9eb7bd9cab5"
  case cannotTakeSocket = "8034345055ca4b43b4dde24a097118a5"
  case cannotTakeStored = "808a7cd71836460799330970a827ba78"
  case added = "772c1c0ba6af4d5ba1c2bfb1255dc8e3"
  case removed = "bf29295aacba4eaeb3c3838c92ed0493"
  case changed = "2887ef9c89b745c7a9feea2b07b1d5e6"
  case listening = "5ea4a56e1e43453fa3504b3adecaeb5b"
  case noControllers = "4c82085b39cc4b4ba237319607aa8f34"
  case reloading = "0068e528abf5479187be7bee8e54f472"
  case ending = "c2aa3e3c47c24f9e945a2ca5e20b2ab7"
  case endingNow = "7c5973a4c0394501a93cdb799039f2b6"
  case endingAsleep = "4971b60f078f4142a68cc85cb96bc4ea"
  case cannotRun = "8ee196b81a5a40aa825836271141e27d"
}
