import Fixture
import Foundation
import Synchronization

/// What a stage draws: names, ports, the order of files. The same seed and the same fault draw the same.
final class Chance: Sendable {
  /// The run's seed: `LAB_SEED`, else any. Each run prints it.
  static let seed: UInt64 = {
    let seed = ProcessInfo.processInfo.environment["LAB_SEED"].flatMap(UInt64.init) ?? .random(in: 1..<1_000_000)
    print("lab seed \(seed)")
    return seed
  }()

  private let generator: Mutex<SeededGenerator>

  init(of fault: String) {
    generator = Mutex(SeededGenerator(seed: fault.utf8.reduce(Self.seed) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }))
  }

  func number(in range: Range<Int>) -> Int { generator.withLock { Int.random(in: range, using: &$0) } }
  func one<Choice: Sendable>(of choices: [Choice]) -> Choice { choices[number(in: choices.indices)] }
  func shuffled<Part: Sendable>(_ parts: [Part]) -> [Part] { generator.withLock { parts.shuffled(using: &$0) } }
}
