import Testing

@testable import Pasted

/// A command as somebody has typed it: which program did it, where, and with what.
struct CommandLineTests {
  @Test(arguments: [
    ("sudo docker ps -a | grep shop", ["docker", "ps", "-a"], true),
    ("docker ps -a 2>&1 | tee seen", ["docker", "ps", "-a"], false),
    ("cat '/etc/my shop/a|b.conf' # what it has", ["cat", "/etc/my shop/a|b.conf"], false),
    (
      #"curl -H 'Host: '\''a|b'\''' "http://x/?a=1&b=$(id)" >/dev/null"#,
      ["curl", "-H", "Host: 'a|b'", "http://x/?a=1&b=$(id)"], false
    ),
    ("df -k / && df -i /", ["df", "-k", "/"], false), ("LC_ALL=C PATH=$PATH:/sbin ss -ltn", ["ss", "-ltn"], false),
    (
      "docker network inspect $(docker network ls -q | head -n 3)",
      ["docker", "network", "inspect", "$(docker network ls -q | head -n 3)"], false
    ),
    ("ssh nas 'docker ps' ; ls", ["ssh", "nas", "docker ps"], false),
    ("timeout 5 nc -zv 10.0.0.2 80 </dev/null", ["nc", "-zv", "10.0.0.2", "80"], false),
  ])
  func wordsOfTheProgramThatDidIt(_ typed: String, _ words: [String], _ isFiltered: Bool) throws {
    let command = try #require(CommandLine(typed))
    #expect(command.words == words && command.isFiltered == isFiltered)
  }

  /// What was copied out of a container, or of a process's files, is what was done with it there.
  @Test(arguments: [
    ("docker cp -L web:/etc/hosts - | tar -xO", "web", ["cat", "/etc/hosts"], false),
    (
      "docker cp web:/var/log/a.log - | busybox tar -xO | tail -n 50", "web", ["tail", "-n", "50", "/var/log/a.log"],
      false
    ),
    ("docker cp web:/var/log/a.log - | tar -xO | grep error", "web", ["grep", "error", "/var/log/a.log"], false),
    (
      #"f=$(mktemp) && docker cp web:/data/db - | tar -xO > "$f" && sqlite3 -json "$f" 'SELECT 1'; rm "$f""#, "web",
      ["sqlite3", "-json", "/data/db", "SELECT 1"], false
    ),
    (
      #"f=$(mktemp) && sudo cat /proc/7/root/data/db > "$f" && sqlite3 "$f" 'SELECT 1'; rm "$f""#, nil,
      ["sqlite3", "/proc/7/root/data/db", "SELECT 1"], false
    ),
    ("docker cp web:/etc/nginx - | tar -tv", "web", ["tar", "/etc/nginx"], false),
    ("cat /etc/hosts | grep web", nil, ["cat", "/etc/hosts"], true),
    ("docker cp here.txt web:/tmp/", nil, ["docker", "cp", "here.txt", "web:/tmp/"], false),
  ])
  func copies(_ typed: String, _ container: String?, _ words: [String], _ isFiltered: Bool) throws {
    let command = try #require(CommandLine(typed))
    #expect(command.words == words && command.container == container && command.isFiltered == isFiltered)
  }

  @Test func whoseRightsAndWhatItWasGiven() throws {
    let other = try #require(
      CommandLine(
        "sudo setpriv --reuid $(ps -o euid= -p 7) --groups $(ps -o supgid= -p 7 | sed s/-/65534/) curl -v http://localhost/"
      ))
    #expect(other.user == 7 && other.words == ["curl", "-v", "http://localhost/"])
    let fed = try #require(
      CommandLine(#"printf '\000\377\x41\r\n' | sudo nsenter -t 9 -n curl telnet://10.0.0.2:80 | od -v -c"#))
    #expect(fed.input == [0, 255, 65, 13, 10] && fed.process == 9 && !fed.isFiltered)
    #expect(fed.words == ["curl", "telnet://10.0.0.2:80"])
    let asked = try #require(CommandLine("echo 'show stat' | socat stdio /run/haproxy.sock"))
    #expect(asked.input == Array("show stat\n".utf8) && asked.words.first == "socat")
  }

  @Test(arguments: ["", "   ", "# nothing", "|", "&& ||", "'", "\"$(", "a=b", "docker cp web:/x -", "> /dev/null"])
  func whatIsHalfACommandEndsWell(_ typed: String) { _ = CommandLine(typed) }
}
