import Archive
import Flow
import Glibc
import LogLines
import Model
import Report

extension Wizard502 {
  /// Names what the lines of logs mean, as they come; `-` is standard input.
  static func explain(_ files: [String], isJSON: Bool, _ catalog: Catalog) -> Exit {
    let fresh = LogReader(catalog.signs)
    var report = ExplainReport(catalog: catalog, isJSON: isJSON, namesFiles: files.count > 1)
    if files.contains("-"), isatty(STDIN_FILENO) == 1 { complain(catalog.word("explain.paste")) }
    for file in files {
      // A file's first line is no rest of the one before.
      var reader = fresh
      let failure = read(file) { number, line in
        guard let reading = reader.reading(of: line) else { return }
        Output.put(report.entry(reading, line: writtenLine(line), number: number, file: file))
      }
      if let failure {
        Output.flush()
        complain("wizard502: \(file.printable) cannot be read: \(failure)")
        return .unreadable
      }
    }
    Output.put(report.ending)
    return report.isEmpty ? .inconclusive : .working
  }

  /// Gives every line of a log to `take`; the reason if it cannot be read, and nil otherwise.
  private static func read(_ file: String, _ take: (Int, UnsafeBufferPointer<UInt8>) -> Void) -> String? {
    let descriptor = file == "-" ? STDIN_FILENO : open(file, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return Unread().reason }
    defer { if file != "-" { close(descriptor) } }
    do {
      let stream = try Decompressor { buffer in
        while true {
          let count = Glibc.read(descriptor, buffer.baseAddress, buffer.count)
          if count >= 0 { return count }
          if errno != EINTR { throw Unread() }
        }
      }
      var splitter = LineSplitter()
      // What a read gave is shown before the next one waits.
      while try splitter.advance(reading: stream.read, each: take) { Output.flush() }
      return nil
    } catch {
      return switch error {
      case let error as Unread: error.reason
      case let error as Decompressor.Damaged: error.reason
      default: "\(error)"
      }
    }
  }

  /// A system call that failed, in the C library's words.
  private struct Unread: Error {
    let reason = String(cString: strerror(errno))
  }
}
