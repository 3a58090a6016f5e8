internal import CLinux
internal import Glibc
internal import Model
internal import World

/// A place's files. In a process's root every link stays inside that root, as the process itself would see it.
///
/// Made on a thread that does nothing else and ends: from here on it has the rights of that process, as far as files
/// are concerned. So what a process of an ordinary user names is never opened with root's rights.
final class Root: Sendable {
  private let directory: Descriptor?

  /// - Parameter asProgram: with the rights that this program has itself.
  init(_ place: Place, asProgram: Bool = false) throws(Unseen) {
    guard case .process(let id) = place else {
      directory = nil
      return
    }
    let what = "the files of process \(id)"
    directory = try Descriptor(Glibc.open("\(place.proc)/root", O_PATH | O_DIRECTORY | O_CLOEXEC), what)
    // Without root's rights this program has none to give up.
    if !asProgram, geteuid() == 0, try !Credentials(of: id).take() { throw .notPermitted(what: what) }
  }

  /// The thing at an absolute path, found but not opened: opening a device or a FIFO can already do something.
  func find(_ path: String) throws(Unseen) -> Descriptor {
    guard path.hasPrefix("/") else { throw .unreadable(what: path, why: .init(.notAbsolute)) }
    guard !path.utf8.contains(0) else { throw .missing(what: path.printable) }
    let flags = O_PATH | O_CLOEXEC
    guard let directory else { return try Descriptor(Glibc.open(path, flags), path) }
    return try Descriptor(shim_open_in_root(directory.number, path, flags), path)
  }

  /// A regular file, open for reading, with its status.
  ///
  /// Inside a process's root none of the kernel's own: a read of `/proc/kmsg` takes the messages away, and whoever makes
  /// a container can put a link to it in a file's place.
  func file(_ path: String) throws(Unseen) -> (Descriptor, stat) {
    let found = try open(path, S_IFREG, .notFile)
    guard directory == nil || shim_is_kernels_own(found.0.number) == 0 else {
      throw .unreadable(what: path, why: .init(.notOnDisk))
    }
    return found
  }

  /// Whether the path's last part is a link, which `find` has followed.
  func isLink(_ path: String) -> Bool {
    let flags = O_PATH | O_NOFOLLOW | O_CLOEXEC
    let number = directory.map { shim_open_in_root($0.number, path, flags) } ?? Glibc.open(path, flags)
    guard let found = try? Descriptor(number, path), let status = try? found.status(path) else { return false }
    return status.st_mode & S_IFMT == S_IFLNK
  }

  /// A socket's file that may be connected to.
  func socket(_ path: String) throws(Unseen) -> Descriptor {
    let found = try find(path)
    guard try found.status(path).st_mode & S_IFMT == S_IFSOCK else {
      throw .unreadable(what: path, why: .init(.notSocket))
    }
    guard faccessat(AT_FDCWD, found.path, W_OK, AT_EACCESS) == 0 else { throw .system(errno, path) }
    return found
  }

  /// The names in a directory, without `.` and `..`.
  func names(in path: String) throws(Unseen) -> [String] {
    let (directory, _) = try open(path, S_IFDIR, .notFolder)
    return try directory.names(path)
  }

  private func open(_ path: String, _ kind: mode_t, _ otherwise: Unseen.Reason.Kind) throws(Unseen) -> (
    Descriptor, stat
  ) {
    let found = try find(path)
    let status = try found.status(path)
    guard status.st_mode & S_IFMT == kind else { throw .unreadable(what: path, why: .init(otherwise)) }
    return (try Descriptor(Glibc.open(found.path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC), path), status)
  }
}

extension Descriptor {
  /// The names in this open directory, without `.` and `..`, in the system's order.
  func names(_ what: String) throws(Unseen) -> [String] {
    // The stream closes its descriptor, so it gets its own.
    let copy = fcntl(number, F_DUPFD_CLOEXEC, 0)
    guard copy >= 0, let stream = fdopendir(copy) else { throw .system(errno, what) }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: Int(entry.pointee.d_reclen)) { String(cString: $0) }
      }
      if name != ".", name != ".." { names.append(name) }
    }
    return names
  }
}

/// Seconds after which a file system that does not answer (a dead NFS server) is given up.
let fileLimit = 5.0

extension FileRead: MachineLook {
  func taken(on machine: Machine) async throws(Unseen) -> Sight {
    let (path, place, limit, fromEnd) = (path, place, limit, fromEnd)
    return try await onOwnThread(limit: fileLimit) { () throws(Unseen) -> Sight in
      let root = try Root(place)
      let (file, status) = try root.file(path)
      let size = Int(status.st_size)
      // One byte more than may be there: files of /proc say that their size is 0.
      let bytes = try file.read(
        at: fromEnd ? max(0, size - (limit ?? size)) : 0, count: limit ?? Limits.file + 1, path)
      if limit == nil, max(size, bytes.count) > Limits.file {
        throw .unreadable(what: path, why: .init(.tooLarge, "\(Limits.file >> 20) MB"))
      }
      // Files of /proc say 0.
      return Sight(
        bytes: bytes, size: max(size, bytes.count), modified: status.st_mtim.seconds,
        target: root.isLink(path) ? linkTarget(file.path, most: Limits.pastedLine) : nil)
    }
  }
}

extension FileSystem: MachineLook {
  func taken(on machine: Machine) async throws(Unseen) -> Sight {
    let (path, place) = (path, place)
    return try await onOwnThread(limit: fileLimit) { () throws(Unseen) -> Sight in
      let found = try Root(place).find(path)
      var status = statvfs()
      guard fstatvfs(found.number, &status) == 0 else { throw .system(errno, path) }
      // A FUSE file system may say anything.
      let block = Int(clamping: status.f_frsize)
      return Sight(
        size: Int(clamping: status.f_blocks).clampedProduct(block),
        free: Int(clamping: status.f_bavail).clampedProduct(block), files: Int(clamping: status.f_files),
        freeFiles: Int(clamping: status.f_favail))
    }
  }
}

extension FileGlob: MachineLook {
  func taken(on machine: Machine) async throws(Unseen) -> [String] {
    let (pattern, place) = (pattern, place)
    return try await onOwnThread(limit: fileLimit) { () throws(Unseen) -> [String] in
      let root = try Root(place)
      guard pattern.hasPrefix("/") else { throw .unreadable(what: pattern, why: .init(.notAbsolute)) }
      var found = [""]
      for component in pattern.split(separator: "/").map(String.init) {
        var next: [String] = []
        for directory in found {
          for name in try root.names(in: directory, matching: component) { next.append("\(directory)/\(name)") }
          guard next.count <= Limits.paths else {
            throw .unreadable(what: pattern, why: .init(.tooManyPaths, "\(Limits.paths)"))
          }
        }
        found = next
      }
      return found.sorted()
    }
  }
}

extension Root {
  /// The names in `directory` that match one component of a pattern; none where there is no such directory.
  fileprivate func names(in directory: String, matching component: String) throws(Unseen) -> [String] {
    do throws(Unseen) {
      guard component.contains(where: { "*?[\\".contains($0) }) else {
        _ = try find("\(directory)/\(component)")
        return [component]
      }
      return try names(in: directory + "/").filter { fnmatch(component, $0, FNM_PERIOD) == 0 }
    } catch {
      switch error {
      case .missing, .unreadable(_, .init(.notFolder)): return []
      default: throw error
      }
    }
  }
}
