/// What `/proc/PID/stat` says of a process, whoever has read it. Source: proc(5).
public struct ProcessStatus: Sendable, Equatable {
  /// As it calls itself.
  public let name: String
  public let parent: Int32
  /// `S`: it waits; `T`: a signal has stopped it, such as that of Ctrl-Z.
  public let state: Character
  /// Ticks from the machine's start to its own.
  public let ticks: Double

  /// Nil for what has another form.
  public init?(_ text: String) {
    // The name in parentheses may itself have blanks and parentheses: the fields begin after the last one.
    guard let open = text.firstIndex(of: "("), let close = text.lastIndex(of: ")"), open < close else { return nil }
    // `) state ppid …`: the parent is field 4, the start field 22.
    let fields = text[close...].split(separator: " ")
    guard fields.count > 20, let state = fields[1].first, let parent = Int32(fields[2]), let ticks = Double(fields[20])
    else { return nil }
    (name, self.state, self.parent, self.ticks) = (String(text[text.index(after: open)..<close]), state, parent, ticks)
  }
}

/// The service of the machine's systemd in `/proc/PID/cgroup`: `0::/system.slice/shop.service`; nil of a process in none.
public func systemUnit(cgroup: String) -> String? {
  cgroup.split(separator: "\n").lazy.compactMap { line in
    let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false).last?.split(separator: "/")
    guard parts?.first == "system.slice" else { return nil }
    return parts?.dropFirst().first { $0.hasSuffix(".service") }.map(String.init)
  }.first
}

/// The container's id in `/proc/PID/cgroup`: a directory `ID`, `docker-ID.scope`, `libpod-ID.scope`, `cri-…-ID.scope`.
///
/// `libpod-conmon-ID.scope` is Podman's own watcher, outside the container.
public func containerID(cgroup: String) -> String? {
  for component in cgroup.split(whereSeparator: { "/:\n".contains($0) }) where !component.hasPrefix("libpod-conmon-") {
    let word = component.split(separator: ".").first?.split(separator: "-").last ?? ""
    if word.utf8.count == 64, word.allSatisfy({ $0.isHexDigit }) { return String(word) }
  }
  return nil
}

/// Seconds since 1970 at which the machine started, in `/proc/stat`; nil for what has another form.
public func bootTime(stat: String) -> Double? {
  stat.split(separator: "\n").first { $0.hasPrefix("btime ") }.flatMap { Double($0.dropFirst(6)) }
}
