import Glibc

/// The folder for what the program keeps for its user: `$XDG_STATE_HOME/wizard502`, by default below `~/.local/state`.
///
/// Source: XDG Base Directory Specification.
enum StateFolder {
  /// Made if there is none, for its owner only; nil where there is no place for it.
  static var path: String? {
    func variable(_ name: String) -> String? {
      getenv(name).map { String(cString: $0) }.flatMap { $0.hasPrefix("/") ? $0 : nil }
    }
    guard let states = variable("XDG_STATE_HOME") ?? variable("HOME").map({ $0 + "/.local/state" }) else { return nil }
    let path = states + "/wizard502"
    // mkdir(2) makes one folder at a time; those that are there stay as they are.
    for end in path.indices.dropFirst() where path[end] == "/" { mkdir(String(path[..<end]), 0o700) }
    mkdir(path, 0o700)
    return access(path, W_OK) == 0 ? path : nil
  }
}
