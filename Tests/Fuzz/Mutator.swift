/// Makes new inputs from known ones: of bytes, numbers, words and lines.
struct Mutator {
  /// Bytes of the longest input.
  static let longest = 256 << 10

  /// What has another meaning than it looks like, to one reader or another.
  private static let oddities: [[UInt8]] =
    [
      [0], [0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xE2, 0x80], [0x1B, 0x5B], [0x0D],
    ]
    + [
      "\r\n", "\u{301}", "\u{202E}", "\u{200B}", "\u{FEFF}", "\u{2028}", "İ", "ß", "👩‍👩‍👧", "\u{1F1E6}", "\\", "'", "\"",
      "`", "$", "{", "}", "\t",
    ]
    .map { Array($0.utf8) }

  private static let numbers = [
    "0", "-1", "1", "00", "-0", "255", "256", "65535", "65536", "2147483648", "4294967296", "9223372036854775807",
    "9223372036854775808", "-9223372036854775808", "-9223372036854775809", "18446744073709551616",
    "99999999999999999999", "4611686018427387904", "1e30", "1e400", "-1e400", "nan", "inf", "-inf",
    "0x7fffffffffffffff", "1.5", "1e-400",
    ".", "-", "+9223372036854775807", "99999999999999999999h", "99999999999999999999d", "1e30s", "106751991167301d",
    "infs", "99999999999GB", "9223372036854775807k", "-9223372036854775808s",
  ].map { Array($0.utf8) }

  private static let brackets: [(UInt8, UInt8)] = [
    ("{", "}"), ("[", "]"), ("(", ")"), ("\"", "\""), ("!", " "), ("<", ">"),
  ]
  .map { (Array($0.0.utf8)[0], Array($0.1.utf8)[0]) }

  private let words: [[UInt8]]

  init(seeds: [[UInt8]]) {
    var words: Set<[UInt8]> = []
    for seed in seeds {
      for word in seed.split(whereSeparator: { !$0.isOfWord }) where (2...60).contains(word.count) {
        words.insert(Array(word))
      }
    }
    self.words = words.sorted { $0.lexicographicallyPrecedes($1) }
  }

  /// - Parameter others: what a part may be taken from.
  func mutated(_ input: [UInt8], with others: [[UInt8]], _ random: inout Random) -> [UInt8] {
    var bytes = input
    for _ in 0...random.below(4) { change(&bytes, others, &random) }
    if bytes.count > Self.longest { bytes.removeLast(bytes.count - Self.longest) }
    return bytes
  }

  private func change(_ bytes: inout [UInt8], _ others: [[UInt8]], _ random: inout Random) {
    let place = random.below(bytes.count + 1)
    switch random.below(20) {
    case 0 where !bytes.isEmpty: bytes[random.below(bytes.count)] = UInt8(truncatingIfNeeded: random.next())
    case 1 where !bytes.isEmpty: bytes[random.below(bytes.count)] ^= 1 << UInt8(random.below(8))
    case 2: bytes.insert(contentsOf: Self.oddities[random.below(Self.oddities.count)], at: place)
    case 3: bytes.removeSubrange(place..<min(bytes.count, place + 1 + random.below(16)))
    case 4: bytes.removeSubrange(place..<min(bytes.count, place + random.below(bytes.count + 1)))
    case 5, 6, 7: replaceRun(in: &bytes, \.isOfNumber, by: Self.numbers[random.below(Self.numbers.count)], &random)
    case 8, 9: replaceRun(in: &bytes, \.isOfWord, by: word(&random), &random)
    case 10: bytes.insert(contentsOf: word(&random), at: place)
    case 11, 12, 13: changeLines(of: &bytes, &random)
    case 14, 15: splice(others[random.below(others.count)], into: &bytes, &random)
    case 16: repeatPiece(of: &bytes, random.once(in: 20) ? 20_000 : 1 + random.below(64), &random)
    case 17: nest(in: &bytes, random.once(in: 20) ? 20_000 : 1 + random.below(100), &random)
    case 18 where random.once(in: 4):
      bytes = Array(bytes.split(separator: 0x0A, omittingEmptySubsequences: false).joined(separator: [0x0D, 0x0A]))
    default: replaceRun(in: &bytes, \.isOfWord, by: Self.numbers[random.below(Self.numbers.count)], &random)
    }
  }

  private func word(_ random: inout Random) -> [UInt8] { words.isEmpty ? [0x20] : words[random.below(words.count)] }

  /// The first run of such bytes behind some place.
  private func replaceRun(
    in bytes: inout [UInt8], _ belongs: (UInt8) -> Bool, by new: [UInt8], _ random: inout Random
  ) {
    let place = random.below(bytes.count)
    guard let start = bytes[place...].firstIndex(where: belongs) else { return }
    let end = bytes[start...].firstIndex { !belongs($0) } ?? bytes.endIndex
    bytes.replaceSubrange(start..<end, with: new)
  }

  private func changeLines(of bytes: inout [UInt8], _ random: inout Random) {
    var lines = bytes.split(separator: 0x0A, omittingEmptySubsequences: false)
    let (one, other) = (random.below(lines.count), random.below(lines.count))
    switch random.below(5) {
    case 0: lines.remove(at: one)
    case 1: lines.insert(lines[one], at: other)
    case 2: lines.swapAt(one, other)
    case 3: lines.removeSubrange(min(one, other)..<max(one, other))
    default: lines[one] = random.once(in: 2) ? lines[one].dropFirst(2) : [0x20, 0x20] + lines[one]
    }
    bytes = Array(lines.joined(separator: [0x0A]))
  }

  private func splice(_ other: [UInt8], into bytes: inout [UInt8], _ random: inout Random) {
    let start = random.below(other.count)
    let piece = other[start..<min(other.count, start + 1 + random.below(random.once(in: 2) ? 64 : other.count + 1))]
    let place = random.below(bytes.count + 1)
    bytes.replaceSubrange(place..<(random.once(in: 2) ? place : min(bytes.count, place + piece.count)), with: piece)
  }

  private func repeatPiece(of bytes: inout [UInt8], _ times: Int, _ random: inout Random) {
    let start = random.below(bytes.count)
    let piece = bytes[start..<min(bytes.count, start + 1 + random.below(random.once(in: 2) ? 4 : 80))]
    guard !piece.isEmpty else { return }
    let count = min(times, Self.longest / piece.count)
    bytes.insert(contentsOf: repeatElement(piece, count: count).joined(), at: start)
  }

  private func nest(in bytes: inout [UInt8], _ depth: Int, _ random: inout Random) {
    let (open, close) = Self.brackets[random.below(Self.brackets.count)]
    let start = random.below(bytes.count + 1)
    let end = min(bytes.count, start + random.below(40))
    if !random.once(in: 3) { bytes.insert(contentsOf: repeatElement(close, count: depth), at: end) }
    bytes.insert(contentsOf: repeatElement(open, count: depth), at: start)
  }
}

extension UInt8 {
  fileprivate var isOfNumber: Bool { (0x30...0x39).contains(self) }
  fileprivate var isOfWord: Bool {
    isOfNumber || (0x41...0x5A).contains(self & 0xDF) || self == 0x5F || self == 0x2D || self == 0x2E || self > 0x7F
  }
}
