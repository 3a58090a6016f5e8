import LogLines
public import Model
public import World

extension World {
  /// The last lines that a container wrote, from a time (seconds since 1970) on, without colours.
  ///
  /// Source: Docker Engine API, "Get container logs": frames of an 8-byte header where no terminal is attached.
  public func log(of container: Container, since: Double? = nil, lines: Int = 200) async throws(Unseen) -> [String] {
    let from = since.map { "&since=\(Int(clamping: $0))" } ?? ""
    let answer = try await see(
      DockerGet(path: "/containers/\(container.Id)/logs?stdout=1&stderr=1&tail=\(lines)\(from)", bodyLimit: 4_194_304))
    guard answer.status == 200 else {
      throw .unreadable(what: "log of \(container.name)", why: "status \(answer.status)")
    }
    let bytes = container.Config?.Tty == true ? answer.body : payload(answer.body)
    return String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline).map { String($0).withoutColours }
  }
}

/// The bytes inside the frames; what is cut or is no frame ends it.
private func payload(_ framed: [UInt8]) -> [UInt8] {
  var bytes: [UInt8] = []
  var rest = framed[...]
  while rest.count >= 8, rest[rest.startIndex] < 3 {
    let header = rest.prefix(8)
    let length = header.suffix(4).reduce(0) { $0 << 8 | Int(clamping: $1) }
    rest = rest.dropFirst(8)
    bytes += rest.prefix(length)
    rest = rest.dropFirst(length)
  }
  return bytes
}
