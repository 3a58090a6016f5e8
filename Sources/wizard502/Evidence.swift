import Archive
import CLinux
import Glibc
import Model
import Pasted
import World

/// What a diagnosis saw, as a file: `--save` writes it, `--from` reads it.
enum Evidence {
  /// Why there is no such file, or none that can be used: in a sentence without its end.
  struct Failure: Error {
    let sentence: String
    var exit = Wizard502.Exit.unreadable
  }

  /// A new file that only its owner can read.
  struct File {
    let path: String
    private let descriptor: Int32

    /// Never over another file, nor through a link that somebody else has put there.
    init(creating path: String) throws(Failure) {
      descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
      guard descriptor >= 0 else { throw Failure(path, "cannot be written", .unwritable) }
      self.path = path
    }

    /// Writes a text to its end; false if that failed.
    func append(_ text: String) -> Bool { Output.write(Array(text.utf8), to: descriptor) }

    /// Writes all that was seen, to the end of the file.
    ///
    /// - Parameter recording: Without secrets.
    func write(_ recording: Recording) throws(Failure) {
      defer { close(descriptor) }
      guard Output.write(recording.written, to: descriptor) else {
        throw Failure(path, "cannot be written", .unwritable)
      }
    }
  }

  /// `-` is standard input; compressed or not.
  static func read(_ path: String) throws(Failure) -> Recording {
    try recording(path, of: try bytes(of: path, most: Limits.recording))
  }

  /// A recording that is in memory, compressed or not.
  static func recording(in bytes: [UInt8], _ name: String) throws(Failure) -> Recording {
    var rest = bytes[...]
    let plain = try Self.bytes(name, most: Limits.recording) { buffer in
      defer { rest = rest.dropFirst(buffer.count) }
      buffer.copyBytes(from: rest.prefix(buffer.count))
      return min(buffer.count, rest.count)
    }
    return try recording(name, of: plain)
  }

  private static func recording(_ name: String, of bytes: [UInt8]) throws(Failure) -> Recording {
    do throws(Recording.Mistake) { return try Recording(reading: bytes) } catch {
      throw Failure(sentence: "\(name.printable), \(error)")
    }
  }

  /// The machine of which a paste tells, before this one.
  ///
  /// - Parameter signs: By what the lines of logs in it are known.
  static func pasted(_ path: String, _ signs: Signs) throws(Failure) -> PastedWorld {
    let bytes = try bytes(of: path, most: Limits.pasted)
    guard bytes.count <= Limits.pasted else {
      throw Failure(sentence: "\(path.printable) has more than \(Limits.pasted >> 20) MB")
    }
    let text = String(decoding: bytes, as: UTF8.self)
    switch Pasteboard.refusal(of: text) {
    case .binary: throw Failure(sentence: "\(path.printable) is no text, so nothing of it was used")
    case .machines(let names):
      let list = names.map(\.printable).joined(separator: ", ")
      throw Failure(sentence: "\(path.printable) is of more than one machine (\(list)), so nothing of it was used")
    default: return PastedWorld(text, before: Wizard502.world(), signs: signs)
    }
  }

  /// What a file has in it, decompressed; `-` is standard input. Nobody is waited for who is to write into a pipe some day.
  ///
  /// - Parameter most: Bytes; a few more tell whoever reads them that there are more.
  static func bytes(of path: String, most: Int) throws(Failure) -> [UInt8] {
    let descriptor = path == "-" ? STDIN_FILENO : open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)
    guard descriptor >= 0 else { throw Failure(path, "cannot be read") }
    defer { if path != "-" { close(descriptor) } }
    if path != "-" { _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) & ~O_NONBLOCK) }
    let bytes = try bytes(path, most: most) { buffer in
      while true {
        let count = Glibc.read(descriptor, buffer.baseAddress, buffer.count)
        if count >= 0 { return count }
        if errno != EINTR { throw Failure(path, "cannot be read") }
      }
    }
    var status = stat()
    if bytes.isEmpty, path != "-", fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFIFO {
      throw Failure(sentence: "\(path.printable) is a pipe into which nobody writes")
    }
    return bytes
  }

  /// What is compressed is decompressed.
  ///
  /// - Parameter most: Bytes; a few more tell whoever reads them that there are more.
  private static func bytes(
    _ name: String, most: Int, from source: @escaping Decompressor.Source
  ) throws(Failure) -> [UInt8] {
    var bytes: [UInt8] = []
    do {
      let plain = try Decompressor(source)
      var buffer = [UInt8](repeating: 0, count: 1 << 20)
      while bytes.count <= most {
        let count = try buffer.withUnsafeMutableBytes { try plain.read($0) }
        if count == 0 { break }
        bytes += buffer.prefix(count)
      }
      return bytes
    } catch let failure as Failure { throw failure } catch let damaged as Decompressor.Damaged {
      throw Failure(sentence: "\(name.printable) is compressed and damaged: \(damaged.reason.printable)")
    } catch { throw Failure(sentence: "\(name.printable), \(error)") }
  }
}

extension Evidence.Failure {
  /// With the reason of the system call that has just failed.
  init(_ path: String, _ what: String, _ exit: Wizard502.Exit = .unreadable) {
    self.init(sentence: "\(path.printable) \(what): \(String(cString: strerror(errno)))", exit: exit)
  }
}

extension Recording {
  /// The address at which was looked, as a diagnosis is given it again; `asked` where the recording does not say.
  ///
  /// - Parameter asked: As it was typed; nil: that of the recording is meant.
  func site(_ asked: String?) throws(Evidence.Failure) -> Site {
    let site = asked.flatMap { Site($0) }
    guard let own = course?.givenAgain[.url].flatMap({ Site($0) }) else {
      guard let site else { throw Evidence.Failure(sentence: "the recording does not say of which address it is") }
      return site
    }
    if asked == nil || site?.url.redacted == own.url.redacted { return own }
    throw Evidence.Failure(
      sentence: "the recording is of \(own.url.redacted.printable), not of \((asked ?? "").excerpt(of: 200))",
      exit: .misuse)
  }

  /// `2026-11-30 03:04 UTC`
  var date: String { "\(day) \(parts.time) UTC" }
  /// `2026-11-30`
  var day: String { parts.date }

  private var parts: tm {
    var seconds = time_t(max(0, min(now, 253_402_300_799)))  // fits: until the year 9999
    var parts = tm()
    gmtime_r(&seconds, &parts)
    return parts
  }
}
