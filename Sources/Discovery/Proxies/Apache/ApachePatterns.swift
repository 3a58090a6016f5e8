import Pattern
import Synchronization

extension Apache {
  /// The regular expressions of a configuration, each compiled when it is first asked for: requests are led through it
  /// more than once.
  final class Patterns: Sendable {
    private struct Key: Hashable {
      let text: String
      let ignoresCase: Bool
    }
    private let known = Mutex<[Key: Pattern?]>([:])

    /// Nil for a text that is no regular expression.
    func callAsFunction(_ text: String, ignoringCase: Bool = false) -> Pattern? {
      let key = Key(text: text, ignoresCase: ignoringCase)
      if let pattern = known.withLock({ $0[key] }) { return pattern }
      let pattern = try? Pattern(text, ignoringCase: ignoringCase)
      return known.withLock { known in
        known[key] = .some(pattern)
        return pattern
      }
    }
  }
}
