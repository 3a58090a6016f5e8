import Glibc
import Model

extension Reader {
  /// A directory or file that could not be read.
  public struct Unreadable: Error, Sendable, Equatable, CustomStringConvertible {
    public let path: String
    public let reason: String
    public var description: String { "\(path): \(reason)".printable }
  }

  /// The data files of an author: `Flows/*.yaml`, `Flows/collect.sh`, `Flows/apps/*.yaml`, `Flows/signs/*.yaml`,
  /// `Screens/*.yaml`, `Screens/*.md`, `Screens/guides/*.md`, `Screens/checkup/*.md`, `Screens/parts/*.md`,
  /// `Screens/proxies/*.md`, `Screens/languages/*.po` and `Screens/practice/*.yaml` below `directory`.
  ///
  /// Either folder may be missing, but not both. Hidden files are left out.
  public static func files(in directory: String) throws(Unreadable) -> [(path: String, text: String)] {
    var files: [(path: String, text: String)] = []
    var isFound = false
    for (folder, endings) in [
      ("Flows", [".yaml", ".sh"]), ("Flows/apps", [".yaml"]), ("Flows/signs", [".yaml"]),
      ("Screens", [".yaml", ".md"]), ("Screens/guides", [".md"]), ("Screens/checkup", [".md"]),
      ("Screens/parts", [".md"]), ("Screens/proxies", [".md"]), ("Screens/practice", [".yaml"]),
      ("Screens/languages", [".po"]),
    ] {
      guard let names = try names(in: "\(directory)/\(folder)") else { continue }
      isFound = true
      for name in names where !name.hasPrefix(".") && endings.contains(where: name.hasSuffix) {
        files.append(("\(folder)/\(name)", try text(of: "\(directory)/\(folder)/\(name)")))
      }
    }
    guard isFound else { throw Unreadable(path: directory, reason: "there is no folder Flows or Screens in it") }
    return files
  }

  /// Nil if there is no such directory.
  static func names(in path: String) throws(Unreadable) -> [String]? {
    guard let directory = opendir(path) else {
      if errno == ENOENT { return nil }
      throw unreadable(path)
    }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
      names.append(
        withUnsafeBytes(of: &entry.pointee.d_name) { name in
          String(decoding: name.prefix { $0 != 0 }, as: UTF8.self)
        })
    }
    return names.sorted()
  }

  static func text(of path: String) throws(Unreadable) -> String {
    guard let file = fopen(path, "r") else { throw unreadable(path) }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var block = [UInt8](repeating: 0, count: 64 * 1024)
    while case let count = fread(&block, 1, block.count, file), count > 0 { bytes += block[..<count] }
    guard ferror(file) == 0 else { throw unreadable(path) }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw Unreadable(path: path, reason: "this is not UTF-8 text")
    }
    return text
  }

  /// What the last system call said.
  private static func unreadable(_ path: String) -> Unreadable {
    Unreadable(path: path, reason: String(cString: strerror(errno)))
  }
}
