import LogLines
public import Model
public import World

extension World {
  /// The last lines that a container wrote, from a time (seconds since 1970) on, without colours.
  ///
  /// The engine tells the time of each line, so that what is kept of a log serves whoever asks for another span of it.
  ///
  /// Source: Docker Engine API, "Get container logs": frames of an 8-byte header where no terminal is attached.
  public func log(of container: Container, since: Double? = nil, lines: Int = 200) async throws(Unseen) -> [String] {
    let answer = try await see(
      DockerGet(
        path: "/containers/\(container.Id)/logs?stdout=1&stderr=1&timestamps=1&tail=200", since: since,
        bodyLimit: 4_194_304))
    guard answer.status == 200 else {
      throw .unreadable(what: "log of \(container.name)", why: .init(.status, "\(answer.status)"))
    }
    let pieces =
      container.Config?.Tty == true
      ? answer.body.split(separator: 0x0A).map { $0 + [0x0A] } : Bytes.pieces(of: answer.body)
    return written(pieces, since: since).suffix(lines).map(\.withoutColours)
  }
}

/// The lines of pieces of which each begins with the time at which it was written; a long line is in several.
private func written(_ pieces: [ArraySlice<UInt8>], since: Double?) -> [String] {
  var text: [UInt8] = []
  for piece in pieces {
    let stamp = piece.prefix { $0 != UInt8(ascii: " ") }
    let time = stamp.count < 40 ? secondsSince1970(String(decoding: stamp, as: UTF8.self)) : nil
    if let time, let since, time < since.rounded(.down) { continue }
    text += time == nil ? piece : piece.dropFirst(stamp.count + 1)
  }
  return String(decoding: text, as: UTF8.self).split(whereSeparator: \.isNewline).map(String.init)
}
