import CLinux
import Flow
import FoundationEssentials
import Glibc
import Model

/// What the last checkup told, so that the next one can tell only what is new: a file of this user's own.
enum CheckupState {
  /// Why it cannot be kept: in a sentence without its end.
  struct Failure: Error { let sentence: String }

  /// By the site's address; the empty one stands for what is true of no site alone.
  private typealias Told = [String: [String]]

  private static let name = "checkup.json"
  private static let mostBytes = 4 << 20

  /// What was not told the last time, of each site at which there is something new; and keeps all of it.
  static func news(of sites: [CheckedSite]) throws(Failure) -> [CheckedSite] {
    let folder: Int32
    do throws(StateFolder.Missing) { folder = try StateFolder.open() } catch {
      throw Failure(sentence: "what was told cannot be kept: \(error.reason)")
    }
    defer { close(folder) }
    var told = read(in: folder)
    var news: [CheckedSite] = []
    for site in sites {
      let key = site.url ?? ""
      let before = Set(told[key] ?? [])
      let new = CheckedSite(
        url: site.url, weaknesses: site.weaknesses.filter { !before.contains($0.key) },
        unseen: site.unseen.filter { !before.contains($0) })
      if !new.weaknesses.isEmpty || !new.unseen.isEmpty { news.append(new) }
      let now = Set(site.weaknesses.map(\.key) + site.unseen)
      // What could not be seen this time is no news when it is seen again.
      told[key] = (site.unseen.isEmpty ? now : now.union(before)).sorted()
    }
    try write(told, in: folder)
    return news
  }

  // MARK: The file

  /// Nothing where there is no such file, or where it is no file of this user's own.
  private static func read(in folder: Int32) -> Told {
    guard let (file, status) = StateFolder.own(name, in: folder) else { return [:] }
    defer { close(file) }
    guard status.st_size <= mostBytes else { return [:] }
    var bytes = [UInt8](repeating: 0, count: Int(status.st_size))  // fits: checked
    let count = Glibc.read(file, &bytes, bytes.count)
    return (try? JSONDecoder().decode(Told.self, from: Data(bytes.prefix(max(0, count))))) ?? [:]
  }

  /// In the place of the one before, whole or not at all.
  private static func write(_ told: Told, in folder: Int32) throws(Failure) {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    guard let bytes = try? encoder.encode(told), bytes.count <= mostBytes else {
      throw Failure(sentence: "the checkup has too much to keep for --since")
    }
    guard let file = StateFolder.put(Array(bytes), as: name, in: folder) else { throw Failure(name) }
    close(file)
  }
}

extension CheckupState.Failure {
  /// With the reason of the system call that has just failed.
  fileprivate init(_ path: String) {
    sentence = "what was told cannot be kept in \(path.printable): \(String(cString: strerror(errno)))"
  }
}

extension CheckedSite.Found {
  /// The same weakness of the same thing.
  fileprivate var key: String { "\(id): \(title)" }
}
