import Glibc
import Model
import Pasted
import World

/// What a diagnosis saw, as a file: `--save` writes it, `--from` reads it.
enum Evidence {
  /// Why there is no such file, or none that can be used: in a sentence without its end.
  struct Failure: Error { let sentence: String }

  /// A new file that only its owner can read.
  struct File {
    private let path: String
    private let descriptor: Int32

    /// Never over another file, nor through a link that somebody else has put there.
    init(creating path: String) throws(Failure) {
      descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
      guard descriptor >= 0 else { throw Failure(path, "cannot be written") }
      self.path = path
    }

    /// Writes a text to its end; false if that failed.
    func append(_ text: String) -> Bool { Output.write(Array(text.utf8), to: descriptor) }

    /// Writes all that was seen, without secrets.
    func write(_ recording: Recording) throws(Failure) {
      defer { close(descriptor) }
      guard Output.write(recording.redacted.written, to: descriptor) else { throw Failure(path, "cannot be written") }
    }
  }

  /// `-` is standard input.
  static func read(_ path: String) throws(Failure) -> Recording {
    let bytes = try bytes(of: path, most: Limits.recording)
    do throws(Recording.Mistake) { return try Recording(reading: bytes) } catch {
      throw Failure(sentence: "\(path.printable), \(error)")
    }
  }

  /// The machine of which a paste tells, before this one.
  static func pasted(_ path: String) throws(Failure) -> PastedWorld {
    let bytes = try bytes(of: path, most: Limits.pasted)
    guard bytes.count <= Limits.pasted else {
      throw Failure(sentence: "\(path.printable) has more than \(Limits.pasted >> 20) MB")
    }
    return PastedWorld(String(decoding: bytes, as: UTF8.self), before: Wizard502.world())
  }

  /// - Parameter most: Bytes; a few more tell whoever reads them that there are more.
  private static func bytes(of path: String, most: Int) throws(Failure) -> [UInt8] {
    let descriptor = path == "-" ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw Failure(path, "cannot be read") }
    defer { if path != "-" { close(descriptor) } }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 20)
    while bytes.count <= most {
      let count = Glibc.read(descriptor, &buffer, buffer.count)
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw Failure(path, "cannot be read") }
      if count == 0 { break }
      bytes += buffer.prefix(count)
    }
    return bytes
  }
}

extension Evidence.Failure {
  /// With the reason of the system call that has just failed.
  init(_ path: String, _ what: String) {
    sentence = "\(path.printable) \(what): \(String(cString: strerror(errno)))"
  }
}

extension Recording {
  /// `2026-11-30 03:04 UTC`
  var date: String {
    var seconds = time_t(max(0, min(now, 253_402_300_799)))  // fits: until the year 9999
    var parts = tm()
    gmtime_r(&seconds, &parts)
    return "\(parts.date) \(parts.time) UTC"
  }
}
