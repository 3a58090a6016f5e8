import Flow
import Markdown
import Model
import YAML

/// What pages ask of whatever proxy it is, and how each kind of proxy answers.
///
/// `Screens/recipes.yaml` has the names, `Screens/proxies/KIND.md` an answer to each below its `## NAME`.
struct Recipes {
  /// The kind of proxy and its answer, in the order of the kinds.
  typealias Answer = (kind: String, steps: Part)

  static let list = "Screens/recipes.yaml"
  private static let folder = "Screens/proxies/"

  /// By name: in a sentence, what is done. Its placeholders `{new.VALUE}` are what a page has to give.
  private(set) var sentences: [String: Text] = [:]
  /// Where each name stands in the list.
  private(set) var places: [String: SourcePlace] = [:]
  /// The file of each kind that has one.
  private(set) var sources: [String: PageSource] = [:]
  /// By kind and name. An answer that there is no such thing has no blocks.
  private var answers: [String: [String: Part]] = [:]
  /// In their order.
  private var kinds: [String] = []

  init() {}

  init(_ files: [(path: String, text: String)], _ problems: Problems) {
    for file in files where file.path == Self.list { readList(file.text, problems) }
    for file in files where file.path.hasPrefix(Self.folder) && file.path.hasSuffix(".md") {
      let kind = String(file.path.dropFirst(Self.folder.count).dropLast(3))
      read(Part(file: file.path, text: file.text), of: kind, problems)
    }
    kinds = answers.keys.sorted()
  }

  func answers(to name: String) -> [Answer] {
    kinds.compactMap { kind in answer(of: kind, to: name).map { (kind, $0) } }
  }

  func answer(of kind: String, to name: String) -> Part? { answers[kind]?[name] }

  /// The names of the values that a page has to give with that recipe.
  func values(of name: String) -> [String] {
    Template(sentences[name]?.text ?? "").placeholders.map(\.text).filter { $0.hasPrefix(Part.values) }
      .map { String($0.dropFirst(Part.values.count)) }
  }

  private mutating func readList(_ text: String, _ problems: Problems) {
    let (root, mistakes) = YAML.read(text, file: Self.list)
    for mistake in mistakes { problems.add(SourcePlace(mistake.place), mistake.message) }
    for field in root?.fields(problems) ?? [] {
      guard let sentence = field.value.text(problems) else { continue }
      for fact in Template(sentence.text).placeholders where !fact.text.hasPrefix(Part.values) {
        problems.add(sentence.at, "'{\(fact.text)}' is no value that a page gives; those are called '{new.…}'")
      }
      sentences[field.name.text] = sentence
      places[field.name.text] = field.name.at
    }
  }

  private mutating func read(_ file: Part, of kind: String, _ problems: Problems) {
    sources[kind] = file.source
    answers[kind] = [:]
    var open: (name: String, line: Int)?
    var blocks: [Markdown.Block] = []
    func end(_ answers: inout [String: Part]) {
      guard let (name, line) = open else {
        let stray = blocks.first { !$0.isComment }
        if stray != nil || blocks.count == file.blocks.count {
          problems.add(
            file.source.place(stray?.line ?? 1), "what a proxy does stands below a recipe's name: '## load'")
        }
        return
      }
      // Looked up only if there is something to say: it is a search.
      var place: SourcePlace { file.source.place(of: name, from: line) }
      if sentences[name] == nil { problems.add(place, "there is no recipe '\(name)'", name, notIn: sentences.keys) }
      if answers[name] != nil { problems.add(place, "'\(name)' stands here twice") }
      let none = blocks.first { $0.reasonForNone != nil }
      let steps = blocks.filter { $0.reasonForNone == nil }
      if let none {
        if none.reasonForNone == "" { problems.add(file.source.place(none.line), "'none:' is followed by the reason") }
        if let step = steps.first(where: \.isStep) {
          problems.add(
            file.source.place(step.line), "'none:' says that there is no such thing, so nothing else stands here")
        }
      } else if !steps.contains(where: \.isStep) {
        problems.add(place, "say how '\(name)' is done, or '<!-- none: WHY -->'")
      }
      answers[name] = Part(source: file.source, blocks: none == nil ? steps : [])
    }
    for block in file.blocks {
      guard case .heading(let level, let name) = block.content else {
        blocks.append(block)
        continue
      }
      if level != 2 { problems.add(file.source.place(block.line), "a recipe starts with '##'") }
      end(&answers[kind, default: [:]])
      (open, blocks) = ((name, block.line), [])
    }
    end(&answers[kind, default: [:]])
  }
}

extension Markdown.Block {
  fileprivate var isComment: Bool { if case .comment = content { true } else { false } }

  /// Words, a fence, or a place where a page takes in what stands elsewhere.
  fileprivate var isStep: Bool {
    guard case .comment(let text) = content else { return true }
    return text.hasPrefix("part:") || text.hasPrefix("do:")
  }

  /// What follows `none:`.
  fileprivate var reasonForNone: Substring? {
    guard case .comment(let text) = content, text.hasPrefix("none:") else { return nil }
    return text.dropFirst(5).trimmed
  }
}
