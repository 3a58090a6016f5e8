public import Model
internal import Glibc
import Synchronization

/// A world that remembers what one check looks at, so that a person can be shown what its finding rests on.
public final class Witness: World {
  private let world: any World
  private let seen = Mutex<[any Witnessed]>([])

  public init(_ world: any World) { self.world = world }

  public var now: Double { world.now }
  public var instant: ContinuousClock.Instant { world.instant }
  public func pause(_ seconds: Double) async { await world.pause(seconds) }
  public func deadline(in seconds: Double) async { await world.deadline(in: seconds) }
  public var others: [OtherMachine] { world.others }

  public func see<L: Look>(_ look: L) async throws(Unseen) -> L.Sight { try await answer(to: look).result.get() }

  public func answer<L: Look>(to look: L) async -> Answer<L.Sight> {
    let answer = await world.answer(to: look)
    seen.withLock { $0.append(Taken(look: look, answer: answer)) }
    return answer
  }

  /// Whether any of it is what a person has pasted.
  public var hearsay: Hearsay? { seen.withLock { $0.compactMap(\.hearsay).max() } }

  /// Looks that are shown, and lines of each.
  private static let (looks, lines) = (3, 6)
  /// Bytes of all looks together in which is searched.
  private static let searched = 16 << 20

  /// The looks on which a finding rests: those with most of its words in them, the best first, each with the lines that
  /// have them. The order in which answers came, which differs from run to run, changes nothing.
  ///
  /// - Parameters:
  ///   - learned: What the check found out.
  ///   - given: What it was given to find that.
  ///   - isUnseen: It could not see what it wanted; then the looks that failed come first.
  public func sightings(of learned: Facts, given: Facts, isUnseen: Bool) -> [Sighting] {
    let words = Words(learned, given)
    var room = Self.searched
    var found: [(score: Int, answered: Int, sighting: Sighting)] = []
    for (_, taken) in seen.withLock({ $0 }).map({ ($0.name, $0) }).sorted(by: { $0.0 > $1.0 }) {
      let (score, lines) = taken.lines(with: words, most: Self.lines, within: &room)
      let sighting = Sighting(kind: taken.kind, facts: taken.parts, lines: lines)
      guard !found.contains(where: { $0.sighting.kind == sighting.kind && $0.sighting.facts == sighting.facts }) else {
        continue
      }
      found.append((isUnseen && taken.isUnseen ? .max : score, taken.isAnswered ? 1 : 0, sighting))
    }
    let best = found.enumerated().sorted { one, other in
      (other.element.score, other.element.answered, one.offset)
        < (one.element.score, one.element.answered, other.offset)
    }.map(\.element)
    let told = best.prefix(Self.looks).filter { $0.score > 0 }
    return (told.isEmpty ? Array(best.prefix(1)) : told).map(\.sighting)
  }
}

/// What a finding says, as texts that stand in what it rests on.
private struct Words {
  /// What was found out counts more than what was known before.
  let weighed: [(bytes: [UInt8], weight: Int)]

  init(_ learned: Facts, _ given: Facts) {
    func texts(_ facts: Facts) -> Set<String> {
      // What says no more than that something is so stands anywhere.
      Set(facts.names.flatMap { facts.list($0) + [facts[$0] ?? ""] }).filter { $0.utf8.count > 1 && $0 != "yes" }
    }
    let new = texts(learned)
    weighed =
      new.map { (Array($0.utf8), 4) } + texts(given).subtracting(new).map { (Array($0.utf8), 1) }
  }
}

/// A look that was taken, whatever its kind.
private protocol Witnessed: Sendable {
  var kind: String { get }
  var parts: Facts { get }
  /// The same for looks that are the same.
  var name: String { get }
  var isUnseen: Bool { get }
  var isAnswered: Bool { get }
  var hearsay: Hearsay? { get }
  func lines(with words: Words, most: Int, within room: inout Int) -> (score: Int, lines: [String])
}

private struct Taken<L: Look>: Witnessed {
  let look: L
  let answer: Answer<L.Sight>

  var kind: String { L.kind }
  var parts: Facts { look.parts }
  var name: String {
    kind + parts.values.sorted { $0.key < $1.key }.map { "\n\($0.key)=\($0.value)" }.joined()
  }
  var isUnseen: Bool { if case .failure = answer.result { true } else { false } }
  var isAnswered: Bool { if case .success(let sight) = answer.result { look.isAnswered(by: sight) } else { false } }
  var hearsay: Hearsay? { isUnseen ? nil : answer.hearsay }

  func lines(with words: Words, most: Int, within room: inout Int) -> (score: Int, lines: [String]) {
    guard case .success(let sight) = answer.result else { return (0, []) }
    let text = look.lines(of: sight)
    guard text.count <= room else { return (0, []) }
    room -= text.count
    return text.withUnsafeBufferPointer { Page($0).lines(with: words, most: most) }
  }
}

/// Bytes as lines.
private struct Page {
  private let bytes: UnsafeBufferPointer<UInt8>
  init(_ bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

  /// The lines with most of the words, in their own order, and what their best one counts; without any of them the first
  /// ones.
  func lines(with words: Words, most: Int) -> (score: Int, lines: [String]) {
    var scores: [Range<Int>: Int] = [:]
    for (word, weight) in words.weighed {
      var (start, count) = (0, 0)
      // A word that stands everywhere says nothing.
      while count < Self.everywhere, let place = find(word, from: start) {
        let line = line(around: place)
        scores[line, default: 0] += weight
        (start, count) = (line.upperBound, count + 1)
      }
    }
    let best = scores.sorted { ($1.value, $0.key.lowerBound) < ($0.value, $1.key.lowerBound) }.prefix(most)
    guard let score = best.first?.value else {
      let first = String(decoding: bytes.prefix(4096), as: UTF8.self).lines.prefix(most)
      return (0, first.map { String($0).excerpt(of: Self.longest) }.filter { !$0.isEmpty })
    }
    // One word that was known before is in many lines; what has more is what is meant.
    let meant = best.filter { $0.value * 2 >= score }.map(\.key).sorted { $0.lowerBound < $1.lowerBound }
    return (score, meant.map { String(decoding: bytes[$0], as: UTF8.self).excerpt(of: Self.longest) })
  }

  private static let everywhere = 200
  private static let longest = 240

  private func line(around place: Int) -> Range<Int> {
    let start = bytes[..<place].lastIndex(of: 0x0A).map { $0 + 1 } ?? 0
    let end = bytes[place...].firstIndex(of: 0x0A) ?? bytes.count
    return start..<max(end, start)
  }

  /// Where the word stands by itself: `80` is not in `8080`.
  private func find(_ word: [UInt8], from start: Int) -> Int? {
    guard let base = bytes.baseAddress else { return nil }
    var place = start
    while place + word.count <= bytes.count,
      let first = memchr(base + place, Int32(word[0]), bytes.count - word.count - place + 1)  // fits: a byte
    {
      let at = UnsafeRawPointer(base).distance(to: first)
      let (before, after) = (at - 1, at + word.count)
      if memcmp(first, word, word.count) == 0, !(before >= 0 && bytes[before].isPartOfWord && word[0].isPartOfWord),
        !(after < bytes.count && bytes[after].isPartOfWord && word[word.count - 1].isPartOfWord)
      {
        return at
      }
      place = at + 1
    }
    return nil
  }
}

extension UInt8 {
  fileprivate var isPartOfWord: Bool {
    switch self {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "_"):
      true
    default: false
    }
  }
}
