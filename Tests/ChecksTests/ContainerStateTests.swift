import Checks
import Fixture
import Model
import Testing
import World

@Suite struct ContainerStateTests {
  /// One hour after the start that the containers below tell of.
  private let now = 90_000.0

  private func finding(_ members: String, now: Double? = nil, events: String? = nil) async throws -> Finding {
    let now = now ?? self.now
    let world = Sandbox(now: now).container("app1", "\"Name\": \"/shop\", " + members)
    if let events {
      let filters =
        "%7B%22container%22%3A%5B%22app1%22%5D%2C%22event%22%3A%5B%22die%22%2C%22oom%22%2C%22update%22%5D%7D"
      world.docker("/events?filters=\(filters)", events)
    }
    return try await look("container.state", world, ["upstream.id": "app1"])
  }

  @Test(arguments: [
    (#""State": {"Status": "running"}"#, "running"),
    (#""State": {"Status": "running", "Health": {"Status": "starting"}}"#, "starting"),
    (#""State": {"Status": "running", "Health": {"Status": "unhealthy"}}"#, "unhealthy"),
    (#""State": {"Status": "running", "Health": {"Status": "healthy"}}"#, "running"),
    (#""State": {"Status": "paused"}"#, "paused"),
    (#""State": {"Status": "restarting"}"#, "restarting"),
    (#""State": {"Status": "restarting", "OOMKilled": true}"#, "out-of-memory"),
    (#""State": {"Status": "created"}"#, "stopped"),
    (#""State": {"Status": "exited", "ExitCode": 137, "OOMKilled": false}"#, "stopped"),
    (#""State": {"Status": "exited", "ExitCode": 137, "OOMKilled": true}"#, "out-of-memory"),
    (#""State": {}"#, "unknown"),
    (#""RestartCount": 0"#, "unknown"),
  ])
  func oneStateOneOutcome(members: String, expected: String) async throws {
    #expect(try await finding(members).outcome == expected)
  }

  @Test func itTellsExitCodeErrorAgeAndTwiceTheMemory() async throws {
    let found = try await finding(
      #""State": {"Status": "exited", "ExitCode": 3, "Error": "no \u001b[31m such", "StartedAt": "1970-01-02T00:00:00.5Z"}, "HostConfig": {"Memory": 67108864}"#
    )
    #expect(found.facts["container.exit-code"] == "3")
    #expect(found.facts["container.error"] == "no ^[[31m such")
    #expect(found.facts["container.age"] == "3599")
    #expect(found.facts["container.fresh"] == nil)
    #expect(found.facts["container.memory"] == "64m")
    #expect(found.facts["container.more-memory"] == "128m")
  }

  @Test func startedAMinuteAgoItIsFresh() async throws {
    let found = try await finding(
      #""State": {"Status": "running", "StartedAt": "1970-01-02T00:00:00Z"}"#, now: 86_460)
    #expect(found.facts["container.fresh"] == "yes")
  }

  /// A Swarm makes a new container in the place of one that has ended, and each of them is running for the first time.
  @Test(arguments: [
    (["00:00:00", "00:00:30"], "restarting"), (["00:00:30"], "running"), (["00:00:30", "-"], "running"),
  ])
  func oneOfManyThatASwarmHasMade(failures: [String], outcome: String) async throws {
    let tasks = failures.map { time in
      let updated = time == "-" ? "1970-01-01T00:00:00Z" : "1970-01-02T" + time + "Z"
      return #"{"UpdatedAt": "\#(updated)", "Status": {"State": "failed"}}"#
    }
    let world = Sandbox(now: 86_460)
      .container(
        "app1",
        #""Name": "/shop.1.x", "State": {"Status": "running", "Pid": 9, "StartedAt": "1970-01-02T00:00:50Z"}, "Config": {"Labels": {"com.docker.swarm.service.name": "shop"}}"#
      )
      .docker(
        "/tasks?filters=%7B%22service%22%3A%5B%22shop%22%5D%7D", "[\(tasks.joined(separator: ", "))]")
    let found = try await look("container.state", world, ["upstream.id": "app1"])
    #expect(found.outcome == outcome)
    #expect(found.facts["swarm.service"] == (outcome == "restarting" ? "shop" : nil))
  }

  @Test func runningBetweenTwoCrashesTheEnginesEventsTellHowItEnds() async throws {
    let members =
      #""RestartCount": 4, "State": {"Status": "running", "StartedAt": "1970-01-02T00:00:00Z", "ExitCode": 0}"#
    let died = #"{"Action": "die", "Actor": {"Attributes": {"exitCode": "7"}}}"#
    let crashed = try await finding(members, now: 86_405, events: died)
    #expect(crashed.outcome == "restarting")
    #expect(crashed.facts["container.exit-code"] == "7")

    let killed = try await finding(members, now: 86_405, events: #"{"Action": "oom"}"# + "\n" + died)
    #expect(killed.outcome == "out-of-memory")

    let recovered = try await finding(members, now: 90_000, events: died)
    #expect(recovered.outcome == "running")
  }

  @Test func whatKeepsItFromBeingSeenIsTold() async throws {
    let facts: Facts = ["upstream.id": "app1"]
    for (status, expected) in [
      (403, Unseen.notPermitted(what: "Docker's /containers/app1/json")),
      (404, .missing(what: "Docker's /containers/app1/json")),
      (500, .unreadable(what: "Docker's /containers/app1/json", why: .init(.status, "500"))),
    ] {
      let world = Sandbox().docker("/containers/app1/json", "{}", status: status)
      let found = try await look("container.state", world, facts)
      #expect(found.outcome == "unknown")
      #expect(found.unseen == expected)
    }
  }
}
