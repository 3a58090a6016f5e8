import Discovery
import Model
import Pattern
import World

extension FactName {
  static let lastWords: FactName = "container.last-words"
  static let lastPath: FactName = "container.last-path"
  static let lastFile: FactName = "container.last-file"

  static let ofLastWords: [FactName] = [lastWords, lastPath, lastFile]
}

extension World {
  /// Why a container ended, in its own words: the newest line that says what is wrong, else its last one. A path in it that
  /// a mount brings in is told as this machine has it, too.
  func lastWords(of container: Container, _ signs: Signs) async -> Facts {
    let lines = ((try? await log(of: container, lines: 40)) ?? []).reversed().filter { !$0.allSatisfy(\.isWhitespace) }
    let patterns = signs.lastWords.compactMap { try? Pattern($0, ignoringCase: true) }
    let telling = patterns.lazy.compactMap { pattern in lines.first { pattern.matches($0) } }.first
    guard let line = telling ?? lines.first else { return [:] }
    var facts: Facts = [.lastWords: line.excerpt(of: 300)]
    // A path ends where a quote, a blank or a bracket does; a dot at its end is the sentence's.
    let paths = line.split { " \t\"'`()[]{}<>,;:=".contains($0) }.filter { $0.hasPrefix("/") && $0.count > 1 }
    for path in paths.map({ $0.last == "." ? String($0.dropLast()) : String($0) }) {
      guard let file = container.hostPath(of: path), file != path else { continue }
      (facts[.lastPath], facts[.lastFile]) = (path, file)
      break
    }
    return facts
  }
}
