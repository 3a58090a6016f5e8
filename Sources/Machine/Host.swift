internal import CLinux
internal import Glibc

/// The machine outside of the container in which the program itself runs.
public enum Host {
  /// Why it cannot be entered.
  public enum Obstacle: Error {
    /// The first process is this container's own.
    case ownProcesses
    case notPermitted
  }

  /// Moves this process, which has one thread, to where the machine's first process is.
  ///
  /// From then on each path, name and address is the machine's own, and what is started here are its own programs; the
  /// working directory is `/`.
  public static func enter() throws(Obstacle) {
    let first = first
    // The files come last: /proc is one of them.
    for kind in ["net", "uts", "cgroup", "mnt"] {
      do {
        let wanted = try Descriptor(open("/proc/\(first)/ns/\(kind)", O_RDONLY | O_CLOEXEC), kind)
        let current = try Descriptor(open("/proc/self/ns/\(kind)", O_RDONLY | O_CLOEXEC), kind)
        guard try !wanted.status(kind).isSameFile(as: current.status(kind)) else {
          if kind == "mnt" { throw Obstacle.ownProcesses }
          continue
        }
        guard shim_enter_namespace(wanted.number) == 0 else { throw Obstacle.notPermitted }
      } catch let obstacle as Obstacle { throw obstacle } catch { throw .notPermitted }
    }
  }

  /// Process 1. Where that may do more than this container, which hides it, the kernel's own first thread: it is in the same
  /// namespaces, and runs no file.
  private static var first: Int32 {
    linkTarget("/proc/1/ns/mnt") == nil && linkTarget("/proc/2/ns/mnt") != nil && linkTarget("/proc/2/exe") == nil
      ? 2 : 1
  }
}
