import Fixture
import Model
import Testing
import World

@Suite struct HostResourcesTests {
  private let facts: Facts = [
    "site.asked": "61", "upstream.place": "container", "upstream.id": "app1", "upstream.pid": "9",
    "upstream.status": "500",
  ]

  /// systemd sets the limit of open files to the largest number there is.
  @Test(arguments: [
    ("1024\t0\t9223372036854775807\n", "fine"), ("9223372036854775807 0 9223372036854775807", "files"),
    ("98 0 100", "files"), ("97 0 100", "fine"), ("-9223372036854775808 0 5", "fine"),
    ("99999999999999999999 0 1", "fine"),
  ])
  func openFilesOfTheWholeMachine(numbers: String, outcome: String) async throws {
    let world = Sandbox().container("app1", #""Name": "/app", "State": {"Pid": 9}"#)
      .log(of: "app1", frame("OSError: [Errno 23] Too many open files in system\n"))
      .file("/proc/sys/fs/file-nr", numbers)
    #expect(try await look("host.resources", world, facts, signs: realSigns()).outcome == outcome)
  }

  @Test(arguments: [
    (Int.max, 0, "disk"), (Int.max, Int.max, "fine"), (Int.max, Int.min, "disk"), (Int.min, Int.max, "fine"),
    (0, 0, "fine"),
  ])
  func aFileSystemAndAMemoryOfAnySize(size: Int, free: Int, outcome: String) async throws {
    let place = Place.process(9)
    let world = Sandbox().container("app1", #""Name": "/app", "State": {"Pid": 9}"#)
      .log(of: "app1", frame("OSError: [Errno 28] No space left on device\n"))
      .file("/proc/9/mounts", "none /data ext4 rw 0 0\r\n")
      .with(FileSystem(path: "/data", place: place), .init(size: size, free: free, files: 0, freeFiles: 0))
    #expect(try await look("host.resources", world, facts, signs: realSigns()).outcome == outcome)
  }

  @Test(arguments: [("9223372036854775807", "0"), ("9223372036854775807", "-9223372036854775808")])
  func memoryOfAnySize(all: String, free: String) async throws {
    let world = Sandbox().container("app1", #""Name": "/app", "State": {"Pid": 9}"#)
      .log(of: "app1", frame("OSError: [Errno 12] Cannot allocate memory\n"))
      .file("/proc/meminfo", "MemTotal: \(all) kB\nMemAvailable: \(free) kB\n")
    #expect(try await look("host.resources", world, facts, signs: realSigns()).outcome == "memory")
  }
}
