internal import CLinux
import Glibc
import Model
import SQLite
import World

extension Machine {
  func read(_ look: FileRead) async throws(Unseen) -> FileRead.Sight {
    try await onOwnThread {
      do throws(Unseen) { return .success(try OpenFile(look.path, in: look.place).read(look.limit, fromEnd: look.fromEnd)) } catch {
        return .failure(error)
      }
    }
  }

  func glob(_ look: FileGlob) async throws(Unseen) -> [String] {
    try await onOwnThread {
      do throws(Unseen) {
        var paths = ["/"]
        for part in look.pattern.split(separator: "/") {
          let isPattern = part.contains { "*?[".contains($0) }
          var next: [String] = []
          for path in paths {
            let base = path == "/" ? "/" : path + "/"
            if isPattern {
              next += try names(in: path, look.place).filter { fnmatch(String(part), $0, FNM_PERIOD) == 0 }.map { base + $0 }
            } else {
              next.append(base + part)
            }
          }
          paths = next
        }
        return .success(paths.filter { exists($0, look.place) }.sorted())
      } catch { return .failure(error) }
    }
  }

  func rows(_ look: SQLiteQuery) async throws(Unseen) -> [[String: String]] {
    try await onOwnThread {
      do throws(Unseen) {
        let file = try OpenFile(look.path, in: look.place)
        let journal = try? OpenFile(look.path + "-wal", in: look.place).read(64_000_000, fromEnd: false).bytes
        let bytes = try file.read(64_000_000, fromEnd: false).bytes
        do throws(Database.Failure) {
          return .success(try Database.rows(of: bytes, journal: journal ?? [], sql: look.sql))
        } catch { return .failure(.unreadable(what: look.path, why: error.message)) }
      } catch { return .failure(error) }
    }
  }
}

/// Names in a folder; none where there is no such folder.
private func names(in path: String, _ place: Place) throws(Unseen) -> [String] {
  let fd: Int32
  do throws(Unseen) { fd = try openInRoot(path, of: place, O_RDONLY | O_DIRECTORY | O_CLOEXEC) } catch .missing { return [] }
  guard let folder = fdopendir(fd) else {
    close(fd)
    return []
  }
  defer { closedir(folder) }
  var names: [String] = []
  while let entry = readdir(folder), names.count < 10_000 {
    let name = withUnsafePointer(to: &entry.pointee.d_name) {
      $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
    }
    if name != ".", name != ".." { names.append(name) }
  }
  return names
}

private func exists(_ path: String, _ place: Place) -> Bool {
  guard let fd = try? openInRoot(path, of: place, shim_path_only | O_CLOEXEC) else { return false }
  close(fd)
  return true
}

/// Opens a path as the processes of a place see it. In a container links cannot lead out of its root.
private func openInRoot(_ path: String, of place: Place, _ flags: Int32) throws(Unseen) -> Int32 {
  guard case .process(let pid) = place else {
    let fd = open(path, flags)
    guard fd >= 0 else { throw Unseen(errno: errno, what: path) }
    return fd
  }
  let root = open("/proc/\(pid)/root", shim_path_only | O_DIRECTORY | O_CLOEXEC)
  guard root >= 0 else { throw Unseen(errno: errno, what: "the files of process \(pid)") }
  defer { close(root) }
  let fd = shim_open_in_root(root, path, flags)
  guard fd >= 0 else { throw Unseen(errno: errno, what: path) }
  return fd
}

/// A regular file, open for reading. Anything else (a pipe, a device) is refused: reading it might never end.
private struct OpenFile: ~Copyable {
  private let fd: Int32
  private let path: String

  init(_ path: String, in place: Place) throws(Unseen) {
    fd = try openInRoot(path, of: place, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
    self.path = path
  }

  deinit { close(fd) }

  func read(_ limit: Int, fromEnd: Bool) throws(Unseen) -> FileRead.Sight {
    var status = stat()
    guard fstat(fd, &status) == 0 else { throw Unseen(errno: errno, what: path) }
    guard status.st_mode & S_IFMT == S_IFREG else { throw .unreadable(what: path, why: "it is no regular file") }
    // Files of /proc say 0 and have more.
    let size = Int(status.st_size)
    if fromEnd, size > limit { lseek(fd, off_t(size - limit), SEEK_SET) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while bytes.count < limit {
      let count = Glibc.read(fd, &buffer, min(buffer.count, limit - bytes.count))
      guard count >= 0 else { throw Unseen(errno: errno, what: path) }
      if count == 0 { break }
      bytes += buffer.prefix(count)
    }
    let modified = Double(status.st_mtim.tv_sec) + Double(status.st_mtim.tv_nsec) / 1e9
    return FileRead.Sight(bytes: bytes, size: max(size, bytes.count), modified: modified)
  }
}
