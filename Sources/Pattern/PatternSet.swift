import Synchronization

/// Many regular expressions for the same texts, each known by its number, from 0.
///
/// One pass over a text finds the few that may match in it: those one of whose `RequiredLiterals` stands there. A literal
/// is looked for by the four bytes of it that say most, a shorter one by two. A pattern is compiled when it is first
/// tried; one that does not compile matches nothing.
public final class PatternSet: @unchecked Sendable {
  /// Numbers of patterns that may match in one text.
  public struct Candidates: Sendable {
    fileprivate var words: [UInt64]

    public static let none = Candidates(words: [])

    /// The first of `numbers` that is one of them.
    public func first(in numbers: Range<Int>) -> Int? {
      var number = numbers.lowerBound
      while number < numbers.upperBound, number / 64 < words.count {
        let rest = words[number / 64] >> UInt64(number % 64)
        if rest & 1 == 1 { return number }
        number = rest == 0 ? (number / 64 + 1) * 64 : number + rest.trailingZeroBitCount
      }
      return nil
    }
  }

  /// A literal, and who requires it.
  private struct Entry {
    /// As they are read from a text: the first byte lowest, letters in either case as the lower one.
    let bytes: UInt128
    /// The bit that tells the cases apart, for each letter in either.
    let cases: UInt128
    let count: Int
    /// Where in it the bytes begin by which it is looked for.
    let start: Int
    /// Their numbers are there in `owners`.
    let owned: Range<Int>
  }

  // But for `compiled`, nothing changes after `init`.
  private let regexes: [String]
  private let compiled: Mutex<[Pattern??]>
  /// Those of which no literal is known.
  private let always: Candidates
  /// A bit for each hash of four bytes, and for each two bytes, by which a literal is looked for.
  private let fours: UnsafeMutableBufferPointer<UInt64>
  private let pairs: UnsafeMutableBufferPointer<UInt64>
  /// Where in `entries` those of each bucket begin.
  private let buckets: UnsafeMutableBufferPointer<Int>
  private let entries: UnsafeMutableBufferPointer<Entry>
  private let owners: UnsafeMutableBufferPointer<Int>

  private static let hashBits = 17
  private static let bucketBits = 12

  public init(_ regexes: [String]) {
    self.regexes = regexes
    compiled = Mutex(Array(repeating: nil, count: regexes.count))
    var always = [UInt64](repeating: 0, count: regexes.count / 64 + 1)
    var numbers: [Literal: [Int]] = [:]
    for (number, regex) in regexes.enumerated() {
      guard let required = RequiredLiterals(of: regex) else {
        always[number / 64] |= 1 << UInt64(number % 64)
        continue
      }
      for literal in required.any where numbers[literal]?.last != number {
        numbers[literal, default: []].append(number)
      }
    }
    self.always = Candidates(words: always)
    fours = .allocate(capacity: 1 << (Self.hashBits - 6))
    fours.initialize(repeating: 0)
    pairs = .allocate(capacity: 1 << (16 - 6))
    pairs.initialize(repeating: 0)
    let common = Self.common(numbers.keys)
    var (owners, placed): ([Int], [(bucket: Int, entry: Entry)]) = ([], [])
    for (literal, numbers) in numbers {
      let entry = Entry(
        bytes: literal.bytesFirstLowest, cases: literal.casesFirstLowest, count: literal.count,
        start: Self.start(in: literal, common), owned: owners.count..<owners.count + numbers.count)
      owners += numbers
      let key = UInt32(truncatingIfNeeded: entry.bytes >> UInt128(8 * entry.start))
      if literal.count >= 4 {
        fours.insert(Self.hash(key))
        placed.append((Self.bucket(key | Self.lowercase), entry))
      } else {
        let cases = UInt32(truncatingIfNeeded: entry.cases >> UInt128(8 * entry.start))
        for pair in Set([0, cases & 0xFF, cases & 0xFF00, cases & 0xFFFF].map { key & 0xFFFF ^ $0 }) {
          pairs.insert(Int(pair))
          placed.append((Self.bucket(pair), entry))
        }
      }
    }
    placed.sort { $0.bucket < $1.bucket }
    buckets = .allocate(capacity: 1 << Self.bucketBits + 1)
    buckets.initialize(repeating: 0)
    for (bucket, _) in placed { buckets[bucket + 1] += 1 }
    for bucket in 1..<buckets.count { buckets[bucket] += buckets[bucket - 1] }
    entries = .allocate(capacity: placed.count)
    _ = entries.initialize(from: placed.map(\.entry))
    self.owners = .allocate(capacity: owners.count)
    _ = self.owners.initialize(from: owners)
  }

  deinit {
    fours.deallocate()
    pairs.deallocate()
    buckets.deallocate()
    entries.deallocate()
    owners.deallocate()
  }

  public var count: Int { regexes.count }

  /// The pattern of that number; nil if it does not compile.
  public subscript(number: Int) -> Pattern? {
    compiled.withLock { compiled in
      if let known = compiled[number] { return known }
      let pattern = try? Pattern(regexes[number])
      compiled[number] = .some(pattern)
      return pattern
    }
  }

  /// The first of `numbers` that is a candidate and matches.
  public func first(of numbers: Range<Int>, in text: UnsafeBufferPointer<UInt8>, _ candidates: Candidates) -> Int? {
    var rest = numbers
    while let number = candidates.first(in: rest) {
      if self[number]?.matches(text) == true { return number }
      rest = number + 1..<numbers.upperBound
    }
    return nil
  }

  public func first(of numbers: Range<Int>, in text: String, _ candidates: Candidates) -> Int? {
    var text = text
    return text.withUTF8 { first(of: numbers, in: $0, candidates) }
  }

  public func candidates(in text: UnsafeBufferPointer<UInt8>) -> Candidates {
    var found = Candidates.none
    find(in: text, &found)
    return found
  }

  /// The same, in memory that is there already.
  public func find(in text: UnsafeBufferPointer<UInt8>, _ found: inout Candidates) {
    if found.words.count != always.words.count {
      found = always
    } else {
      for index in found.words.indices { found.words[index] = always.words[index] }
    }
    found.words.withUnsafeMutableBufferPointer { find(in: UnsafeRawBufferPointer(text), $0) }
  }

  private func find(in text: UnsafeRawBufferPointer, _ found: UnsafeMutableBufferPointer<UInt64>) {
    let (fours, pairs) = (fours, pairs)
    var start = 0
    while start + 4 <= text.count {
      let count = min(64, text.count - 3 - start)
      // A bit for each place where a literal may be. Without a branch for each this is twice as fast.
      var places: UInt64 = 0
      for place in start..<start + count {
        let bytes = text.loadUnaligned(fromByteOffset: place, as: UInt32.self)
        let found = fours.bit(Self.hash(bytes)) | pairs.bit(Int(bytes & 0xFFFF))
        places = places >> 1 | found << 63
      }
      places >>= UInt64(64 - count)
      while places != 0 {
        let place = start + places.trailingZeroBitCount
        let bytes = text.loadUnaligned(fromByteOffset: place, as: UInt32.self)
        if fours.bit(Self.hash(bytes)) == 1 { look(in: Self.bucket(bytes | Self.lowercase), at: place, text, found) }
        if pairs.bit(Int(bytes & 0xFFFF)) == 1 { look(in: Self.bucket(bytes & 0xFFFF), at: place, text, found) }
        places &= places - 1
      }
      start += count
    }
    while start + 2 <= text.count {
      let pair = UInt32(text.loadUnaligned(fromByteOffset: start, as: UInt16.self))
      if pairs.bit(Int(pair)) == 1 { look(in: Self.bucket(pair), at: start, text, found) }
      start += 1
    }
  }

  /// Takes in whose literals of a bucket stand where the bytes by which they are looked for do.
  private func look(
    in bucket: Int, at place: Int, _ text: UnsafeRawBufferPointer, _ found: UnsafeMutableBufferPointer<UInt64>
  ) {
    for index in buckets[bucket]..<buckets[bucket + 1] {
      let entry = entries[index]
      let start = place - entry.start
      guard start >= 0, start + entry.count <= text.count else { continue }
      let there = Self.sixteen(of: text, from: start) | entry.cases
      guard (there ^ entry.bytes) << UInt128(8 * (16 - entry.count)) == 0 else { continue }
      for owner in entry.owned { found[owners[owner] / 64] |= 1 << UInt64(owners[owner] % 64) }
    }
  }

  /// Sixteen bytes, or as many as there are.
  private static func sixteen(of text: UnsafeRawBufferPointer, from start: Int) -> UInt128 {
    let missing = start + 16 - text.count
    if missing <= 0 { return text.loadUnaligned(fromByteOffset: start, as: UInt128.self) }
    if text.count >= 16 {
      return text.loadUnaligned(fromByteOffset: text.count - 16, as: UInt128.self) >> UInt128(8 * missing)
    }
    return text[start...].reversed().reduce(0) { $0 << 8 | UInt128($1) }
  }

  // MARK: By which bytes a literal is looked for

  /// The bit that capital letters of ASCII lack, of four bytes.
  private static let lowercase: UInt32 = 0x2020_2020

  /// Of four bytes, without regard to case.
  private static func hash(_ bytes: UInt32) -> Int {
    Int(((bytes | lowercase) &* 0x9E37_79B1) &>> UInt32(32 - hashBits))
  }

  private static func bucket(_ bytes: UInt32) -> Int { Int((bytes &* 0x85EB_CA6B) &>> UInt32(32 - bucketBits)) }

  /// How many literals have four bytes of that hash: the words of signs are also those of logs.
  private static func common(_ literals: some Sequence<Literal>) -> [Int] {
    var common = [Int](repeating: 0, count: 1 << hashBits)
    for literal in literals where literal.count >= 4 {
      for start in 0...literal.count - 4 {
        common[hash(UInt32(truncatingIfNeeded: literal.bytesFirstLowest >> UInt128(8 * start)))] += 1
      }
    }
    return common
  }

  private static func start(in literal: Literal, _ common: [Int]) -> Int {
    let count = literal.count >= 4 ? 4 : 2
    var best = (start: 0, worth: Int.min)
    for start in 0...literal.count - count {
      let bytes = UInt32(truncatingIfNeeded: literal.bytesFirstLowest >> UInt128(8 * start))
      var worth = 0
      for index in 0..<count {
        worth += Literal.rarity(of: UInt8(truncatingIfNeeded: bytes >> UInt32(8 * index)))  // fits: below 32
      }
      if count == 4 { worth -= Int.bitWidth - common[hash(bytes)].leadingZeroBitCount }
      if worth > best.worth { best = (start, worth) }
    }
    return best.start
  }
}

extension UnsafeMutableBufferPointer<UInt64> {
  fileprivate func insert(_ bit: Int) { self[bit / 64] |= 1 << UInt64(bit % 64) }
  /// 0 or 1.
  fileprivate func bit(_ bit: Int) -> UInt64 { self[bit &>> 6] &>> UInt64(bit & 63) & 1 }
}
