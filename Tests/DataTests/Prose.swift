import Foundation
import Model
import YAML

/// A sentence that a reader sees, and where it stands.
struct Passage {
  let file: String
  let line: Int
  let text: String
}

/// Everything in a data file that a person reads, without what is run, typed or matched.
func prose(of file: (path: String, text: String)) -> [Passage] {
  if file.path.hasSuffix(".md") { return page(file) }
  guard let root = YAML.read(file.text, file: file.path).root else { return [] }
  switch file.path {
  case "Screens/words.yaml", "Screens/glossary.yaml": return scalars(of: root, file.path) { _ in true }
  case "Flows/checks.yaml":
    // An outcome's first item is its mark.
    return scalars(of: root, file.path) { $0 == "title" } + lists(of: root, file.path)
  case let path where path.hasPrefix("Screens/practice/"):
    return scalars(of: root, file.path) { ["title", "goal", "hints", "first"].contains($0) }
  default: return scalars(of: root, file.path) { ["title", "ask", "why", "find-out", "text", "meaning"].contains($0) }
  }
}

/// The scalars below `node` whose key is wanted.
private func scalars(of node: YAML.Node, _ file: String, isWanted: (String) -> Bool) -> [Passage] {
  switch node.content {
  case .scalar: []
  case .sequence(let items): items.flatMap { scalars(of: $0, file, isWanted: isWanted) }
  case .mapping(let pairs):
    pairs.flatMap { pair -> [Passage] in
      if case .scalar(let text) = pair.value.content {
        return isWanted(pair.key) ? [Passage(file: file, line: pair.value.place.line, text: text)] : []
      }
      if case .sequence(let items) = pair.value.content, isWanted(pair.key) { return texts(of: items, file) }
      return scalars(of: pair.value, file, isWanted: isWanted)
    }
  }
}

private func texts(of items: some Sequence<YAML.Node>, _ file: String) -> [Passage] {
  items.compactMap { item in
    if case .scalar(let text) = item.content { Passage(file: file, line: item.place.line, text: text) } else { nil }
  }
}

private func lists(of node: YAML.Node, _ file: String) -> [Passage] {
  switch node.content {
  case .scalar: []
  case .sequence(let items): texts(of: items.dropFirst(), file)
  case .mapping(let pairs): pairs.flatMap { lists(of: $0.value, file) }
  }
}

/// Title and prevention; then headings, paragraphs and items, without fences, comments and code within a line. What a
/// proxy's file has as headings are names of recipes, which nobody is shown.
private func page(_ file: (path: String, text: String)) -> [Passage] {
  var passages: [Passage] = []
  var lines = Array(file.text.split(separator: "\n", omittingEmptySubsequences: false).enumerated())[...]
  if lines.first?.element == "---", let end = lines.dropFirst().firstIndex(where: { $0.element == "---" }) {
    let front = lines[1..<end].map(\.element).joined(separator: "\n")
    if let root = YAML.read(front, file: file.path, firstLine: 2).root {
      passages += scalars(of: root, file.path) { ["title", "prevention"].contains($0) }
    }
    lines = lines[(end + 1)...]
  }
  let hasHeadings = !file.path.hasPrefix("Screens/proxies/")
  var isCode = false
  for (number, line) in lines {
    if line.hasPrefix("```") {
      isCode.toggle()
    } else if !isCode, !line.hasPrefix("<!--"), hasHeadings || !line.hasPrefix("#") {
      let words = line.split(separator: "`", omittingEmptySubsequences: false).enumerated()
        .map { $0.offset.isMultiple(of: 2) ? $0.element : "," }.joined()
      passages.append(Passage(file: file.path, line: number + 1, text: words))
    }
  }
  return passages
}
