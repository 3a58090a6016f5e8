import FoundationEssentials

/// The files of this repository that inputs are made from.
struct Repository: Sendable {
  let folder: String

  func bytes(_ path: String) -> [UInt8]? {
    FileManager.default.contents(atPath: folder + "/" + path).map { Array($0) }
  }

  /// Files directly in a folder, by their names.
  func files(in path: String, _ isWanted: (String) -> Bool = { _ in true }) -> [(name: String, bytes: [UInt8])] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder + "/" + path)) ?? []
    return names.sorted().filter(isWanted).compactMap { name in bytes(path + "/" + name).map { (name, $0) } }
  }

  /// Files in a folder and those below it, by their paths in the repository.
  func tree(_ path: String) -> [(path: String, bytes: [UInt8])] {
    let names = (try? FileManager.default.subpathsOfDirectory(atPath: folder + "/" + path)) ?? []
    return names.sorted().compactMap { name in bytes(path + "/" + name).map { (path + "/" + name, $0) } }
  }

  /// Inputs that once were findings, and such as no test has: `Tests/Fuzz/Seeds/NAME`.
  func kept(_ name: String) -> [[UInt8]] { files(in: "Tests/Fuzz/Seeds/" + name).map(\.bytes) }

  /// The texts of several lines between triple quotes in Swift files, and of one line if they are long.
  func literals(_ paths: String...) -> [[UInt8]] {
    paths.flatMap { path in
      let files = path.hasSuffix(".swift") ? [path] : tree(path).map(\.path).filter { $0.hasSuffix(".swift") }
      return files.flatMap { literals(of: String(decoding: bytes($0) ?? [], as: UTF8.self)) }
    }
  }

  private func literals(of source: String) -> [[UInt8]] {
    var literals: [[UInt8]] = []
    var block: [Substring]?
    for line in source.split(separator: "\n", omittingEmptySubsequences: false) {
      let plain = line.drop { $0 == " " }
      if let lines = block {
        guard plain.hasPrefix("\"\"\"") else {
          block = lines + [line]
          continue
        }
        let indent = line.count - plain.count
        let text = lines.map { $0.prefix(indent).allSatisfy { $0 == " " } ? $0.dropFirst(indent) : $0 }
        literals.append(Array(filledIn(text.joined(separator: "\n")).utf8))
        block = nil
      } else if line.hasSuffix("\"\"\"") || line.hasSuffix("\"\"\"#") {
        block = []
      } else if let start = line.firstIndex(of: "\""), let end = line.lastIndex(of: "\""), start < end {
        let text = line[line.index(after: start)..<end]
        if text.utf8.count > 40 { literals.append(Array(filledIn(text.replacing("\\\"", with: "\"")).utf8)) }
      }
    }
    return literals
  }

  /// Something plain where the source fills in a value.
  private func filledIn(_ text: some StringProtocol) -> String {
    var result = ""
    var rest = text[...]
    while let slash = rest.firstIndex(of: "\\") {
      result += rest[..<slash]
      rest = rest[slash...].dropFirst()
      while rest.first == "#" { rest = rest.dropFirst() }
      guard rest.first == "(" else { continue }
      let end = rest.firstIndex(of: ")") ?? rest.endIndex
      result += rest[..<end].lowercased().contains("port") ? "3000" : "shop.example.org"
      rest = rest[end...].dropFirst()
    }
    return result + rest
  }
}
