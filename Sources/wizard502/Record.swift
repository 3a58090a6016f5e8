import Model
import Synchronization

/// What is said in a guided session, written down as it is said: a new file that only its owner can read, without secrets.
final class Record: Sendable {
  private let file: Evidence.File
  private let whole = Mutex(true)

  init(creating path: String) throws(Evidence.Failure) { file = try Evidence.File(creating: path) }

  func append(_ text: String) {
    if !text.isEmpty, !file.append(text.redacted) { whole.withLock { $0 = false } }
  }

  /// False if something could not be written.
  var isWhole: Bool { whole.withLock { $0 } }
}
