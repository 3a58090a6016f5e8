import Discovery
import Model
import Routes
import World

private enum SpaceOutcome: String, CheckOutcome {
  case enough
  /// A file system is nearly full; or it can hold few more files.
  case little, inodes
  case unknown
}

extension Check {
  /// Whether the file systems to which app and proxy write are nearly full: nine tenths, and less than 10 GB left.
  static let diskSpace = Check(
    "disk.space", needs: [.upstreamPlace], learns: [.resourcePath, .resourceUsed, .resourceMost],
    outcome: SpaceOutcome.self
  ) { world, given, _ throws(Unseen) in
    var places = ["/", "/var", "/var/log", "/var/lib/docker", "/tmp"].map { FileSystem(path: $0) }
    if let place = try? given.listensIn, place != .host {
      places += try await world.fileSystems(in: place, isWritable: true).map { FileSystem(path: $0, place: place) }
    }
    var seen = 0
    for look in places {
      guard let space = try? await world.see(look) else { continue }
      seen += 1
      let (size, free) = (Double(space.size), Double(max(0, space.free)))
      if size > 0, free < size / 10, free < leastFree {
        return (
          .little,
          [
            .resourcePath: look.path, .resourceMost: space.size.inMegabytes,
            .resourceUsed: Int(clamping: size - free).inMegabytes,
          ]
        )
      }
      if space.files > 0, Double(space.freeFiles) < Double(space.files) / 10 {
        return (.inodes, [.resourcePath: look.path, .resourceMost: String(space.files)])
      }
    }
    return (seen > 0 ? .enough : .unknown, [:])
  }

  /// Bytes: who has so much left has time.
  private static let leastFree = 1e10
}
