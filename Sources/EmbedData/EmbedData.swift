import Foundation

/// `embed-data OUTPUT ROOT FILE…`: writes FILEs, named relative to ROOT, as Swift string literals to OUTPUT; recordings, which
/// are compressed (`.xz`), in base64.
@main struct EmbedData {
  static func main() throws {
    let arguments = CommandLine.arguments.dropFirst()
    guard let output = arguments.first, let root = arguments.dropFirst().first else {
      throw CocoaError(.fileNoSuchFile)
    }
    let paths = arguments.dropFirst(2)
    func entries(_ paths: [String], _ text: (String) throws -> String) rethrows -> String {
      try paths.map { path in
        let name = path.dropFirst(root.count).drop { $0 == "/" }
        return "  (\(literal(String(name))), \(literal(try text(path)))),\n"
      }.joined()
    }
    let texts = try entries(paths.filter { !$0.hasSuffix(".xz") }) { try String(contentsOfFile: $0, encoding: .utf8) }
    let recordings = try entries(paths.filter { $0.hasSuffix(".xz") }) {
      try Data(contentsOf: URL(fileURLWithPath: $0)).base64EncodedString()
    }
    let source = """
      /// The data files of this build: path below the project and text.
      let embeddedFiles: [(path: String, text: String)] = [
      \(texts)]
      /// The recordings of this build.
      let embeddedRecordings: [(path: String, base64: String)] = [
      \(recordings)]

      """
    try source.write(toFile: output, atomically: true, encoding: .utf8)
  }

  /// A one-line string literal with enough `#` for any text inside.
  private static func literal(_ text: String) -> String {
    let escaped = text.unicodeScalars.map { scalar in
      switch scalar {
      case "\\", "\"": "\\" + String(scalar)
      case "\n": "\\n"
      case _ where scalar.value < 0x20: "\\u{" + String(scalar.value, radix: 16) + "}"
      default: String(scalar)
      }
    }
    return "\"" + escaped.joined() + "\""
  }
}
