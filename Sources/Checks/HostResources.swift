import Discovery
import LogLines
import Model
import Routes
import World

extension FactName {
  static let resourceName: FactName = "resource.name"
  static let resourcePath: FactName = "resource.path"
  static let resourceUsed: FactName = "resource.used"
  static let resourceMost: FactName = "resource.most"
}

private enum ResourceOutcome: String, CheckOutcome { case disk, inodes, memory, files, processes, fine, unknown }

extension Check {
  /// Looks whether what the app's log complains of has really run out. Without such a complaint nothing is blamed.
  static let hostResources = Check(
    "host.resources", needs: [.upstreamPlace, .upstreamStatus, .siteAsked],
    learns: [.resourceName, .resourcePath, .resourceUsed, .resourceMost, .logReason], outcome: ResourceOutcome.self
  ) { world, given, signs throws(Unseen) in
    let kinds: Set = ["no-space", "no-memory", "no-files", "no-processes"]
    // The app's own word; where it cannot be read, the proxy's.
    let read: LogReading?
    if let own = try? await world.appSign(kinds, given, signs) {
      read = own
    } else {
      read = try await world.proxySign(kinds, given, signs)
    }
    guard let read, let place = try? given.listensIn else { return (.fine, [:]) }
    func ran(out outcome: ResourceOutcome, _ name: String, _ used: Int, _ most: Int, _ path: String = "") -> (
      ResourceOutcome, Facts
    ) {
      let unit = { (number: Int) in outcome == .disk || outcome == .memory ? number.inMegabytes : String(number) }
      return (
        outcome,
        [
          .resourceName: name, .resourceUsed: unit(used), .resourceMost: unit(most), .resourcePath: path,
          .logReason: read.whole.printable,
        ]
      )
    }
    switch read.sign.shows {
    case "no-space":
      var hidden: Unseen?
      for path in try await world.fileSystems(in: place) {
        let space: FileSystem.Sight
        do throws(Unseen) { space = try await world.see(FileSystem(path: path, place: place)) } catch {
          hidden = error
          continue
        }
        if space.size > 0, space.free < max(4096, space.size / 1000) {
          return ran(
            out: .disk, "disk space", max(0, space.size.subtractingReportingOverflow(space.free).partialValue),
            space.size, path)
        }
        if space.files > 0, space.freeFiles == 0 {
          return ran(out: .inodes, "inodes", space.files, space.files, path)
        }
      }
      // The one that is full may be the one that could not be seen.
      if let hidden { throw hidden }
    case "no-memory":
      let text = try await world.see(FileRead(path: "/proc/meminfo")).text
      if let all = text.number(after: "MemTotal:"), let free = text.number(after: "MemAvailable:"),
        Double(free) * 33 < Double(all)
      {
        return ran(
          out: .memory, "memory", Int(clamping: (Double(all) - Double(free)) * 1024), all.clampedProduct(1024))
      }
    case "no-files":
      let numbers = try await world.see(FileRead(path: "/proc/sys/fs/file-nr")).text.split(
        whereSeparator: \.isWhitespace
      )
      .compactMap { Int($0) }
      if numbers.count == 3, Double(numbers[0]) >= Double(numbers[2]) * 0.98 {
        return ran(out: .files, "open files", numbers[0], numbers[2])
      }
    default:
      let texts = ["current", "max"].map { FileRead(path: "/sys/fs/cgroup/pids.\($0)", place: place) }
      var numbers: [Int?] = []
      for look in texts { numbers.append(Int((try? await world.see(look).text)?.prefix(while: \.isNumber) ?? "")) }
      if let used = numbers[0], let most = numbers[1], used >= most {
        return ran(out: .processes, "processes", used, most)
      }
    }
    return (.fine, [.logReason: read.whole.printable])
  }
}

extension String {
  /// `MemTotal:       16316412 kB`.
  fileprivate func number(after name: String) -> Int? {
    lines.first { $0.hasPrefix(name) }.flatMap { line in
      line.split(separator: " ").dropFirst().first.flatMap { Int($0) }
    }
  }
}
