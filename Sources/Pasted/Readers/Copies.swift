import Model
import Pattern
import World

/// A folder that was copied out of a container, with the texts of its files.
struct FolderCopy: Sendable {
  /// As the command names it.
  var container: String
  var folder: String
  /// The engine has said that there is none.
  var isMissing = false
  var entries: [Entry] = []

  struct Entry: Sendable {
    /// Below the folder's parent, as the engine's archives have it: `nginx/nginx.conf`.
    var path: String
    /// Nil for what is no file.
    var text: String?
    /// Of a link: where it leads.
    var link: String?
  }
}

extension Account {
  static let copyReaders = [
    // `tar -tv`, and below that each file's text behind its name, as `head` has it.
    OutputReader(
      claims: { $0.program == "tar" && $0.command?.container != nil },
      read: { passage, account in
        guard let name = passage.command?.container, let folder = passage.paths.first else { return }
        var copy = FolderCopy(container: name, folder: folder)
        copy.isMissing = passage.text.contains("Could not find the file")
        var (index, texts) = (0, [String: [String]]())
        while index < passage.lines.count, let entry = FolderCopy.Entry(listed: passage.lines[index]) {
          copy.entries.append(entry)
          index += 1
        }
        var path: String?
        for index in index..<max(index, passage.lines.count) {
          let line = passage.lines[index]
          if let named = line.components(around: "==> ")?.1, line.hasPrefix("==> "), named.hasSuffix(" <==") {
            path = String(named.dropLast(4))
            texts[named.dropLast(4).description] = []
          } else if let path {
            texts[path]?.append(line)
          } else if !copy.isMissing {
            account.addUnread(index, of: passage)
          }
        }
        for index in copy.entries.indices where copy.entries[index].text != nil {
          // An empty line stands below each.
          copy.entries[index].text = texts[copy.entries[index].path]?.joined(separator: "\n")
        }
        guard copy.isMissing || !copy.entries.isEmpty else { return account.addUnread(0, of: passage) }
        account.copies.append(copy)
      })
  ]

  /// Whether a container's name, as somebody has typed it, and another one, or an id, are of the same container.
  func isSame(_ name: String, _ other: String) -> Bool {
    name == other || container(name).flatMap { $0["Id"]?.text }.map { $0.hasPrefix(other) } == true
      || other.count >= 12 && listed.contains { $0.name == name && $0["Id"]?.text.map(other.hasPrefix) == true }
  }
}

extension FolderCopy.Entry {
  private static let form = try? Pattern(
    #"^(?<kind>[-dlhbcps])[-rwxsStT]{9}\S* \S+ +\d[\d,]* \d{4}-\d\d-\d\d \d\d:\d\d(?::\d\d)? (?<path>.+?)(?: (?:->|link to) (?<link>.+))?$"#
  )

  /// A line of `tar -tv`, GNU's or busybox'; nil for another one.
  fileprivate init?(listed line: String) {
    guard let match = Self.form?.firstMatch(in: line), let path = match.text(of: "path") else { return nil }
    self.path = path
    link = match.text(of: "link")
    text = match.text(of: "kind") == "-" ? "" : nil
  }
}

extension FolderCopy {
  /// As the engine sends it. Source: POSIX, pax, "ustar Interchange Format".
  var tar: [UInt8] {
    guard !isMissing else { return [] }
    return entries.flatMap { $0.tar } + [UInt8](repeating: 0, count: 1024)
  }
}

extension FolderCopy.Entry {
  /// Nothing for a name that has no room there.
  fileprivate var tar: [UInt8] {
    let bytes = Array((text ?? "").utf8)
    var name = Array(path.utf8)[...], folder = ArraySlice<UInt8>()
    if name.count > 100 {
      guard let slash = name.indices.first(where: { name[$0] == UInt8(ascii: "/") && name.endIndex - $0 <= 101 }),
        slash <= 155
      else { return [] }
      (folder, name) = (name[..<slash], name[(slash + 1)...])
    }
    func number(_ value: Int, _ width: Int) -> [UInt8] {
      let digits = String(value, radix: 8)
      return Array((String(repeating: "0", count: max(0, width - 1 - digits.count)) + digits).utf8) + [0]
    }
    let kind = link != nil ? "2" : text != nil ? "0" : path.hasSuffix("/") ? "5" : "6"
    var header = [UInt8](repeating: 0, count: 512)
    func put(_ field: some Collection<UInt8>, at start: Int, _ width: Int) {
      for (index, byte) in field.prefix(width).enumerated() { header[start + index] = byte }
    }
    put(name, at: 0, 100)
    put(number(0o644, 8), at: 100, 8)
    for start in [108, 116] { put(number(0, 8), at: start, 8) }
    put(number(bytes.count, 12), at: 124, 12)
    put(number(0, 12), at: 136, 12)
    put(Array("        ".utf8), at: 148, 8)
    put(Array(kind.utf8), at: 156, 1)
    put(Array((link ?? "").utf8), at: 157, 100)
    put(Array("ustar\u{0}00".utf8), at: 257, 8)
    put(folder, at: 345, 155)
    put(number(header.reduce(0) { $0 + Int(clamping: $1) }, 7), at: 148, 7)
    return header + bytes + [UInt8](repeating: 0, count: (512 - bytes.count % 512) % 512)
  }
}
