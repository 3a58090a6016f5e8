import Glibc
import Model
import Testing
import World

@testable import Machine

private let machine = Machine()
private let id = String(repeating: "0123456789abcdef", count: 4)

@Test(arguments: [
  ("0::/system.slice/docker-\(id).scope\n", id),
  ("12:pids:/docker/\(id)\n1:name=systemd:/docker/\(id)\n", id),
  ("0::/machine.slice/libpod-\(id).scope/container\n", id),
  ("0::/machine.slice/libpod-conmon-\(id).scope\n", nil),
  ("0::/user.slice/user-1000.slice/session-2.scope\n", nil),
  ("0::/kubepods.slice/cri-containerd-\(id).scope\n", id),
  ("0::/\n", nil),
])
func aContainersIdIsInItsCgroup(cgroup: String, expected: String?) {
  #expect(containerID(cgroup: cgroup) == expected)
}

@Test func processesAreFoundByName() async throws {
  let before = machine.now
  let program = try TestProgram(["sh", "-c", "echo ready; exec sleep 600"], until: "ready")
  let network = try TestProgram.inOwnNetwork()
  // `exec` follows `echo`.
  var seen: [ProcessSeen] = []
  for _ in 0..<100 where seen.count < 2 {
    seen = try await machine.see(Processes(names: ["sleep"])).filter { [program.id, network.id].contains($0.id) }
    usleep(2000)
  }
  let here = try #require(seen.first { $0.id == program.id })
  #expect(here.name == "sleep")
  #expect(here.parent == getpid())
  #expect(here.command == ["sleep", "600"])
  #expect(abs(here.started - before) < 2)
  #expect(here.sharesNetwork == true)
  #expect(here.container == nil)
  #expect(seen.first { $0.id == network.id }?.sharesNetwork == false)
  #expect(try await machine.see(Processes(names: ["no such name"])) == [])
}

// MARK: Commands

/// A program that is none of the system's.
private func test(_ script: String, limit: Double = 3) throws -> CommandRun.Sight {
  let folder = try TestFolder()
  // Another process writes the program: what this one has open for writing, a test beside it may inherit, and then
  // the system does not run it.
  let program = folder.path + "/look"
  try run("install", "-m", "755", try folder.write("script", "#!/bin/sh\n" + script), program)
  return try Invocation(program: program, arguments: ["-c", "/etc/a b.conf"]).run(limit: limit)
}

@Test func aCommandGetsItsArgumentsAndNothingElse() async throws {
  let sight = try test(
    #"echo bad >&2; for a in "$@"; do echo "<$a>"; done; echo "$LC_ALL $HOME"; cat; ls /proc/self/fd | wc -l; exit 3"#)
  #expect(sight.exitCode == 3)
  // Besides 0, 1 and 2 `ls` has the directory open that it lists.
  #expect(sight.output == "<-c>\n</etc/a b.conf>\nC \n4\nbad\n")
}

@Test func aCommandThatDoesNotEndIsKilledWithItsChildren() async throws {
  let folder = try TestFolder()
  let start = ContinuousClock.now
  let reason = await unseen { try test("sleep 600 & echo $! > \(folder.path)/child; wait", limit: 0.3) }
  #expect(reason == .noAnswer(seconds: 0.3))
  #expect(ContinuousClock.now - start < .seconds(60))
  let child = try await machine.see(FileRead(path: folder.path + "/child")).text
  let number = try #require(Int32(child.prefix { $0.isNumber }))
  // Gone, or dead and not yet collected.
  let state = try? await machine.see(FileRead(path: "/proc/\(number)/stat")).text
  #expect(state == nil || state?.contains(") Z ") == true)
}

@Test func endlessOutputIsCut() async throws {
  #expect(try test("head -c 3000000 /dev/zero").output.utf8.count == 1_048_576)
}

// MARK: Without privilege

/// What a user sees who has no part in these processes; in a process of its own, as all its threads change user.
@Test(.enabled(if: geteuid() == 0)) func withoutPrivilegeNothingIsTakenForFine() async {
  await #expect(processExitsWith: .success) {
    let machine = Machine()
    let network = try TestProgram.inOwnNetwork()
    let place = network.place
    try #require(seteuid(65534) == 0)
    let file = await unseen { try await machine.see(FileRead(path: "/etc/shadow")) }
    #expect(file == .notPermitted(what: "/etc/shadow"))
    let root = await unseen { try await machine.see(FileRead(path: "/etc/hostname", place: place)) }
    #expect(root == .notPermitted(what: "the files of process \(network.id)"))
    let connect = await unseen { try await machine.see(TCPConnect(address: "127.0.0.1", port: 1, place: place)) }
    #expect(connect == .notPermitted(what: "the network of process \(network.id)"))
    let filter = await unseen { try await machine.see(CommandRun(.packetFilter)) }
    #expect(filter == .notPermitted(what: "/usr/sbin/iptables-save"))
    // World-readable, as it should be.
    #expect(try await machine.see(Listeners(place: place)) == [])
    try #require(seteuid(0) == 0)
    withExtendedLifetime(network) {}
  }
}
