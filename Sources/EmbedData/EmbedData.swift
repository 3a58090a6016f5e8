import Foundation

/// `embed-data OUTPUT ROOT FILE…`: writes FILEs, named relative to ROOT, as Swift string literals to OUTPUT.
@main struct EmbedData {
  static func main() throws {
    let arguments = CommandLine.arguments.dropFirst()
    guard let output = arguments.first, let root = arguments.dropFirst().first else {
      throw CocoaError(.fileNoSuchFile)
    }
    let entries = try arguments.dropFirst(2).map { path in
      let text = try String(contentsOfFile: path, encoding: .utf8)
      let name = path.dropFirst(root.count).drop { $0 == "/" }
      return "  (\(literal(String(name))), \(literal(text))),"
    }
    let source =
      "/// The data files of this build: path below the project and text.\n"
      + "let embeddedFiles: [(path: String, text: String)] = [\n" + entries.joined(separator: "\n") + "\n]\n"
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
