/// Numbers that are the same for the same seed. Source: "SplitMix64", prng.di.unimi.it/splitmix64.c.
struct Random: RandomNumberGenerator {
  private var state: UInt64

  init(_ seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }

  /// From 0 up to, not with, `end`; 0 where there is nothing to choose from.
  mutating func below(_ end: Int) -> Int { end > 0 ? Int(next() % UInt64(end)) : 0 }

  /// Once in so many times.
  mutating func once(in times: Int) -> Bool { below(times) == 0 }
}

extension Sequence<UInt8> {
  /// A number that is the same for the same bytes. Source: FNV-1a of 64 bits.
  var fingerprint: UInt64 { reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 } }
}
