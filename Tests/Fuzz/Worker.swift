import Coverage
import FoundationEssentials
import Glibc

/// The process in which one driver runs inputs, until one of them ends it.
struct Worker {
  let driver: any Driver
  let slate: Slate
  let seed: UInt64
  /// Monotonic milliseconds at which it stops.
  let end: Int
  /// The number of inputs after which it stops.
  let last: Int
  /// A folder for inputs that went new ways, where the build tells which those are.
  let corpus: String?

  /// Seeds, and what is made of them: the same input for the same number, as long as nothing is added.
  func run(_ repository: Repository, from first: Int) async {
    let seeds = driver.seeds(repository).filter { $0.count <= Mutator.longest }
    let mutator = Mutator(seeds: seeds)
    let kept = corpus.map { Repository(folder: $0).files(in: "").map(\.bytes) } ?? []
    var known = seeds + kept + (seeds.isEmpty ? [[0x20]] : [])
    var (number, added) = (first, 0)
    // Once in any case: on a busy machine the seeds alone may take all of a short time.
    repeat {
      var random = Random(seed ^ UInt64(number) &* 0x1_0000_0001)
      // Known ones and new ones in turn, so that a slow driver comes to both.
      let input =
        number.isMultiple(of: 2) && number / 2 < known.count - added
        ? known[number / 2] : mutator.mutated(pick(known, &random), with: known, &random)
      await run(input, number)
      if coverage_is_on() != 0, coverage_is_new() != 0, !known.contains(input), input.count < 65_536 {
        known.append(input)
        added += 1
        slate.found += 1
        if let corpus {
          _ = FileManager.default.createFile(
            atPath: "\(corpus)/\(String(input.fingerprint, radix: 16))", contents: Data(input))
        }
      }
      number += 1
    } while milliseconds(CLOCK_MONOTONIC) < end && number < last
  }

  /// Any of them, what was added last more often.
  private func pick(_ known: [[UInt8]], _ random: inout Random) -> [UInt8] {
    let recent = min(known.count, 200)
    return coverage_is_on() != 0 && random.once(in: 2)
      ? known[known.count - 1 - random.below(recent)] : known[random.below(known.count)]
  }

  private func run(_ input: [UInt8], _ number: Int) async {
    slate.input = input
    slate.number = number
    let before = milliseconds(CLOCK_PROCESS_CPUTIME_ID)
    slate.began = milliseconds(CLOCK_MONOTONIC)
    await driver.run(input)
    slate.began = 0
    slate.last = milliseconds(CLOCK_PROCESS_CPUTIME_ID) - before
    slate.slowest = max(slate.slowest, slate.last)
    slate.runs += 1
    let memory = mostMemory()
    slate.memory = max(slate.memory, memory)
    if slate.last > Limit.milliseconds { slate.complaint = .slow }
    if memory > Limit.kilobytes { slate.complaint = .memory }
    if slate.complaint != .none { exit(0) }
  }
}

/// What a run may take.
enum Limit {
  /// True in a build with AddressSanitizer, which takes ten times the time and three times the memory.
  static let isSanitized = dlsym(nil, "__asan_init") != nil
  /// CPU time of one run. A build for debugging takes several times that of a release.
  static let milliseconds: Int = {
    if isSanitized { return 30_000 }
    #if DEBUG
      return 9000
    #else
      return 3000
    #endif
  }()
  /// Resident memory of the process.
  static let kilobytes = (isSanitized ? 1200 : 400) << 10
  /// Wall milliseconds after which a run is taken for one that never ends.
  static let hang = isSanitized ? 120_000 : 60_000
  /// Resident memory at which a run is ended from outside, before the machine suffers.
  static let mostKilobytes = 3 << 20
}
