import Glibc

/// Memory that a driver's process shares with the one that watches it: what it does at this moment outlives its end.
///
/// Only one process writes. A torn read does no harm: the watching one reads the input after the other's end.
struct Slate: @unchecked Sendable {
  /// Why a process ended itself after a run.
  enum Complaint: Int { case none, slow, memory }

  private static let head = 16
  private let numbers: UnsafeMutablePointer<Int>
  private let bytes: UnsafeMutablePointer<UInt8>

  /// Nil where the file cannot be made or mapped.
  init?(path: String) {
    let size = Self.head * MemoryLayout<Int>.stride + Mutator.longest
    let file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard file >= 0, ftruncate(file, size) == 0,
      let memory = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0), memory != MAP_FAILED
    else { return nil }
    close(file)
    numbers = memory.bindMemory(to: Int.self, capacity: Self.head)
    bytes = (memory + Self.head * MemoryLayout<Int>.stride).bindMemory(to: UInt8.self, capacity: Mutator.longest)
  }

  /// The number of the input that runs, or ran last.
  var number: Int {
    get { numbers[0] }
    nonmutating set { numbers[0] = newValue }
  }
  /// Runs that have ended.
  var runs: Int {
    get { numbers[1] }
    nonmutating set { numbers[1] = newValue }
  }
  var complaint: Complaint {
    get { Complaint(rawValue: numbers[2]) ?? .none }
    nonmutating set { numbers[2] = newValue.rawValue }
  }
  /// CPU milliseconds of the longest run.
  var slowest: Int {
    get { numbers[3] }
    nonmutating set { numbers[3] = newValue }
  }
  /// The most resident memory so far, in kilobytes.
  var memory: Int {
    get { numbers[4] }
    nonmutating set { numbers[4] = newValue }
  }
  /// Inputs that went new ways.
  var found: Int {
    get { numbers[5] }
    nonmutating set { numbers[5] = newValue }
  }
  /// CPU milliseconds of the last run.
  var last: Int {
    get { numbers[6] }
    nonmutating set { numbers[6] = newValue }
  }
  /// Monotonic milliseconds at which the run began; 0 between runs.
  var began: Int {
    get { numbers[7] }
    nonmutating set { numbers[7] = newValue }
  }

  var input: [UInt8] {
    get { Array(UnsafeBufferPointer(start: bytes, count: min(max(numbers[8], 0), Mutator.longest))) }
    nonmutating set {
      let count = min(newValue.count, Mutator.longest)
      bytes.update(from: newValue, count: count)
      numbers[8] = count
    }
  }
}

/// Milliseconds of a clock.
func milliseconds(_ clock: clockid_t) -> Int {
  var time = timespec()
  clock_gettime(clock, &time)
  return time.tv_sec * 1000 + time.tv_nsec / 1_000_000
}
