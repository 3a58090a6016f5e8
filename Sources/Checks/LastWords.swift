import Discovery
import Model
import Pattern
import World

extension FactName {
  static let lastWords: FactName = "container.last-words"
  static let lastReason: FactName = "container.last-reason"
  static let lastPath: FactName = "container.last-path"
  static let lastFile: FactName = "container.last-file"
  static let lastFolder: FactName = "container.last-folder"
  static let lastUser: FactName = "container.last-user"

  static let ofLastWords: [FactName] = [lastWords, lastReason, lastPath, lastFile, lastFolder, lastUser]
}

extension World {
  /// Why a container ended, in its own words: the newest line that says what is wrong, else its last one. A path in it that
  /// a mount brings in is told as this machine has it, too; and, if the app may not use it, the folder that has to be its
  /// user's.
  func lastWords(of container: Container, _ signs: Signs) async -> Facts {
    let lines = ((try? await log(of: container, lines: 40)) ?? []).reversed().filter { !$0.allSatisfy(\.isWhitespace) }
    func newest(_ pattern: Pattern) -> String? {
      let found = lines.lazy.filter { pattern.matches($0) }
      // What is indented belongs to a line before it: the way to the mistake, or the members of an error.
      return found.first { $0.first?.isWhitespace == false } ?? found.first
    }
    let patterns = signs.lastWords.compactMap { try? Pattern($0, ignoringCase: true) }
    guard let line = patterns.lazy.compactMap(newest).first ?? lines.first else { return [:] }
    var facts: Facts = [.lastWords: line.excerpt(of: 300)]
    facts[.lastReason] =
      signs.endings.first { (try? Pattern($0.pattern, ignoringCase: true))?.matches(line) == true }?.reason
    // A path ends where a quote, a blank or a bracket does; a dot at its end is the sentence's.
    let paths = line.split { " \t\"'`()[]{}<>,;:=".contains($0) }.filter { $0.hasPrefix("/") && $0.count > 1 }
    for path in paths.map({ $0.last == "." ? String($0.dropLast()) : String($0) }) {
      guard let file = container.hostPath(of: path), file != path else { continue }
      (facts[.lastPath], facts[.lastFile]) = (path, file)
      let isDenied = signs.denied.contains { (try? Pattern($0, ignoringCase: true))?.matches(line) == true }
      if isDenied, let user = container.numericUser, let folder = await folder(at: file, in: container) {
        (facts[.lastFolder], facts[.lastUser]) = (folder, user)
      }
      break
    }
    return facts
  }

  /// The folder at a path, or the nearest one above it, within the mount that brings it into a container; nil for a file,
  /// and for a mount of the system's own folders, which are nobody's to give away.
  private func folder(at path: String, in container: Container) async -> String? {
    guard
      let source = (container.Mounts ?? []).compactMap(\.Source).filter({ path == $0 || path.hasPrefix($0 + "/") })
        .max(by: { $0.count < $1.count }), source.isOfPeople
    else { return nil }
    var folder = path
    while folder.hasPrefix(source) {
      if (try? await see(FileGlob(pattern: folder + "/.")))?.isEmpty == false { return folder }
      guard (try? await see(FileGlob(pattern: folder)))?.isEmpty != false else { return nil }
      folder = String(folder[..<(folder.lastIndex(of: "/") ?? folder.startIndex)])
    }
    return nil
  }
}

extension Container {
  /// As whom it runs, `1000` or `1000:1000`; nil for root, and for a name, which only its own files tell.
  fileprivate var numericUser: String? {
    guard let user = Config?.User, user.contains(where: { $0 != "0" && $0 != ":" }),
      user.utf8.allSatisfy({ UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 || $0 == UInt8(ascii: ":") })
    else { return nil }
    return user
  }
}

extension String {
  /// A folder of somebody's data, two steps below the root at least.
  fileprivate var isOfPeople: Bool {
    let parts = split(separator: "/")
    guard let first = parts.first, parts.count > 1 else { return false }
    let isOfSystem = ["bin", "boot", "dev", "etc", "lib", "lib64", "proc", "root", "run", "sbin", "sys", "tmp", "usr"]
      .contains(first)
    return !isOfSystem && !(first == "var" && parts[1] == "run")
  }
}
