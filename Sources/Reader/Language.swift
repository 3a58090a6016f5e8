import Flow
import Markdown
import Model
internal import Synchronization
import YAML

/// The texts of `Flows/` and `Screens/` that a person reads, in another language.
///
/// `Screens/languages/NAME.po` has them in the form of GNU gettext, which translators' programs read and write: below each
/// English text stands the other one. What is missing there is shown in English.
public struct Language: Sendable {
  /// The one in which the data files are written.
  public static let english = "en"

  static let folder = "Screens/languages/"

  static let own = Language { _ in nil }

  private let translation: @Sendable (String) -> String?

  init(_ translation: @escaping @Sendable (String) -> String?) { self.translation = translation }

  /// Nil if these files have no such language.
  ///
  /// - Parameter name: As in `LC_MESSAGES`, without territory and encoding: `de`.
  public init?(_ name: String, in files: [(path: String, text: String)]) {
    guard let file = files.first(where: { $0.path == "\(Self.folder)\(name).po" }) else { return nil }
    let texts = Messages(file.text).texts
    self.init { texts[$0] }
  }

  /// The names of the languages in these files, in their order.
  public static func names(in files: [(path: String, text: String)]) -> [String] {
    files.compactMap { name($0.path) }.sorted()
  }

  /// The name of the language that the file has; nil if it is of another kind.
  static func name(_ path: String) -> String? {
    guard path.hasPrefix(folder), path.hasSuffix(".po") else { return nil }
    return String(path.dropFirst(folder.count).dropLast(3))
  }

  func callAsFunction(_ text: String) -> String { translation(text) ?? text }

  /// A data file in which the texts for people are in this language.
  func callAsFunction(_ root: YAML.Node, of file: String) -> YAML.Node {
    switch file {
    case TextReader.words: all(of: root)
    // The words that it explains are texts, too.
    case TextReader.glossary:
      root.mapping({ self($0) }) { _, value in all(of: value) }
    case _ where ExerciseReader.name(file) != nil: texts(of: root, at: Self.keysOfExercise)
    default: texts(of: root, at: Self.keys)
    }
  }

  /// Keys whose values are texts for people, wherever they stand.
  private static let keys: Set = ["title", "ask", "why", "find-out", "text", "meaning", "prevention"]
  /// Those of an exercise.
  private static let keysOfExercise: Set = ["title", "goal", "hints", "first"]

  private func texts(of node: YAML.Node, at keys: Set<String>) -> YAML.Node {
    node.mapping { key, value in
      switch key {
      case "outcomes":
        // `outcome: [mark, sentence, …]`, and the ways of a check, which have no sentences.
        value.mapping { _, outcome in
          guard case .sequence(let items) = outcome.content else { return texts(of: outcome, at: keys) }
          return outcome.with(.sequence(items.prefix(1) + items.dropFirst().map(all)))
        }
      case let key? where keys.contains(key): all(of: value)
      default: texts(of: value, at: keys)
      }
    }
  }

  private func all(of node: YAML.Node) -> YAML.Node {
    if case .scalar(let text) = node.content { return node.with(.scalar(self(text))) }
    return node.mapping { _, value in all(of: value) }
  }
}

extension Language {
  /// Files in which a person reads nothing but names and commands.
  private static let untold = [FactRegistry.file, Recipes.list, LookReader.file]

  /// Every text for people in these files, once, with the file that has it first, in the order of the files.
  static func texts(of files: [(path: String, text: String)]) -> [(text: String, file: String)] {
    let found = Mutex<[(text: String, file: String)]>([])
    for file in files.sorted(by: { $0.path < $1.path }) where !untold.contains(file.path) {
      let collector = Language { text in
        if !text.isPlaceholders { found.withLock { $0.append((text, file.path)) } }
        return nil
      }
      if file.path.hasSuffix(".yaml") {
        if let root = YAML.read(file.text, file: file.path).root { _ = collector(root, of: file.path) }
      } else if file.path.hasSuffix(".md") {
        let page = Markdown(file.text)
        if let root = page.frontMatter.flatMap({ YAML.read($0, file: file.path).root }) {
          _ = collector(root, of: file.path)
        }
        for block in page.blocks {
          switch block.content {
          case .heading(_, let text) where PageReader.Kind.page(file.path) != nil: _ = collector(text)
          case .paragraph(let text), .item(let text): _ = collector(text)
          case .code(let info, let text) where info.first == "form":
            for line in text.split(separator: "\n") { _ = collector(String(line)) }
          case .code(["places"], let text):
            for cell in text.lines.flatMap(PageReader.cells) where !cell.isEmpty { _ = collector(cell) }
          default: continue
          }
        }
      }
    }
    var known: Set<String> = []
    return found.withLock { $0 }.filter { known.insert($0.text).inserted }
  }
}

extension Reader {
  /// How far a file of translations goes with the texts of the data files.
  public struct Translation: Sendable {
    public let path: String
    /// Texts for people.
    public let texts: Int
    /// Those among them that have no translation.
    public let missing: [String]
    /// Translations of what no data file has.
    public let unused: [String]
    /// Placeholders that only one of text and translation has.
    public let problems: [Problem]
  }

  /// One for each language.
  public static func translations(in files: [(path: String, text: String)]) -> [Translation] {
    let texts = Language.texts(of: files).map(\.text)
    let known = Set(texts)
    return files.filter { Language.name($0.path) != nil }.map { file in
      let messages = Messages(file.text)
      let translated = messages.texts
      return Translation(
        path: file.path, texts: texts.count, missing: texts.filter { translated[$0] == nil },
        unused: messages.entries.map(\.text).filter { !known.contains($0) },
        problems: messages.entries.filter { !$0.translation.isEmpty }.flatMap { entry in
          let names = Set(Template(entry.text).placeholders)
            .symmetricDifference(Template(entry.translation).placeholders)
          return names.map(\.text).sorted().map { name in
            Problem(
              at: SourcePlace(file: file.path, line: entry.line, column: 1),
              sentence: "'{\(name)}' stands in only one of text and translation")
          }
        })
    }
  }
}

extension String {
  /// Whether no letter stands outside of placeholders.
  var isPlaceholders: Bool {
    var depth = 0
    for character in self {
      if character == "{" { depth += 1 } else if character == "}" { depth -= 1 }
      if depth == 0, character.isLetter { return false }
    }
    return true
  }
}

extension YAML.Node {
  fileprivate func with(_ content: Content) -> YAML.Node { YAML.Node(content: content, place: place) }

  /// With other keys and values in a mapping, or other items, which have no key, in a list.
  fileprivate func mapping(
    _ key: (String) -> String = { $0 }, _ change: (String?, YAML.Node) -> YAML.Node
  ) -> YAML.Node {
    switch content {
    case .scalar: self
    case .sequence(let items): with(.sequence(items.map { change(nil, $0) }))
    case .mapping(let pairs):
      with(.mapping(pairs.map { YAML.Pair(key: key($0.key), place: $0.place, value: change($0.key, $0.value)) }))
    }
  }
}

/// The entries of a file in the form of GNU gettext (`PO`), as far as its manual has them for one plural and no context.
struct Messages {
  struct Entry {
    var line: Int
    var text = ""
    var translation = ""
    var isFuzzy = false
  }

  /// Those with a text, in their order; the first one of a file, its header, has none.
  private(set) var entries: [Entry] = []

  /// By text: what translators have written and vouch for.
  var texts: [String: String] {
    Dictionary(entries.filter { !$0.translation.isEmpty && !$0.isFuzzy }.map { ($0.text, $0.translation) }) {
      first, _ in first
    }
  }

  init(_ file: String) {
    var entry: Entry?
    var isTranslation = false
    var isFuzzy = false
    func end(_ entries: inout [Entry]) {
      if let entry, !entry.text.isEmpty { entries.append(entry) }
      entry = nil
    }
    var number = 0
    for line in file.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
      number += 1
      if line.starts(with: "#,".utf8) {
        isFuzzy = String(Substring(line)).contains("fuzzy")
      } else if line.starts(with: "msgid ".utf8) {
        end(&entries)
        entry = Entry(line: number, text: Self.string(line), isFuzzy: isFuzzy)
        (isTranslation, isFuzzy) = (false, false)
      } else if line.starts(with: "msgstr ".utf8) {
        entry?.translation = Self.string(line)
        isTranslation = true
      } else if line.first == UInt8(ascii: "\"") {
        if isTranslation { entry?.translation += Self.string(line) } else { entry?.text += Self.string(line) }
      }
    }
    end(&entries)
  }

  /// What stands between the quotes of a line.
  private static func string(_ line: Substring.UTF8View) -> String {
    guard let open = line.firstIndex(of: UInt8(ascii: "\"")), let close = line.lastIndex(of: UInt8(ascii: "\"")),
      open < close
    else { return "" }
    let inside = line[line.index(after: open)..<close]
    guard inside.contains(UInt8(ascii: "\\")) else { return String(Substring(inside)) }
    var bytes: [UInt8] = []
    var isEscaped = false
    for byte in inside {
      if isEscaped {
        bytes.append(
          byte == UInt8(ascii: "n") ? UInt8(ascii: "\n") : byte == UInt8(ascii: "t") ? UInt8(ascii: "\t") : byte)
        isEscaped = false
      } else if byte == UInt8(ascii: "\\") {
        isEscaped = true
      } else {
        bytes.append(byte)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
