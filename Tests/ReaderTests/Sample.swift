import Flow
import Model
import Reader

/// A small sound set of files, of which a test changes one place.
struct Sample {
  static let shapes = [
    CheckShape(
      id: "site.answer", needs: [.url], learns: ["site.status", "proxy.kind", "upstream.container"],
      outcomes: ["ok", "bad", "unknown"]),
    CheckShape(
      id: "container.state", needs: ["upstream.container"], learns: ["container.exit"],
      outcomes: ["running", "stopped", "unknown"]),
  ]

  var files: [String: String] = [
    "Flows/start.yaml": """
    title: Does the site answer?
    start: answer
    nodes:
      answer:
        check: site.answer
        outcomes:
          ok:      {end: working}
          bad:     {go: state}
          unknown: {end: inconclusive}
    hops: [site, upstream]
    """,
    "Flows/backend.yaml": """
    title: Is the upstream there?
    nodes:
      state:
        check: container.state
        outcomes:
          running: {go: kind}
          stopped: {cause: backend-stopped, confidence: certain}
          unknown: {cause: backend-stopped, confidence: possible, go: kind}
      kind:
        fact: upstream.kind
        ask: What does {upstream.container} run in?
        why: Docker did not say.
        find-out: Run docker ps.
        answers:
          process: {text: A process, cause: wrong-port, confidence: likely}
          other:   {end: inconclusive}
          unsure:  {text: I do not know, end: inconclusive}
    """,
    "Flows/apps/blog.yaml": """
    name: Blog
    images: [team/blog]
    sources: {"https://blog.example": [images]}
    """,
    "Flows/apps/shop.yaml": """
    name: Shop
    images: [team/shop]
    port: 3000
    listen: {variable: HOST, value: 0.0.0.0}
    base-path: {key: root, file: /c.ini}
    health: /up
    sources:
      https://shop.example: [images, port]
      https://docs.shop.example: [listen, base-path, health]
    """,
    "Flows/facts.yaml": """
    site.url: {type: text, means: The site}
    site.scheme: {type: text, one-of: [http, https], means: Its scheme}
    site.host: {type: text, means: Its host}
    site.port: {type: port, means: Its port}
    site.path: {type: text, means: Its path}
    engine.command: {type: text, means: The engine}
    limit.seconds: {type: number, unit: s, means: The limit}
    series.count: {type: number, means: How many}
    problem.mended: {type: flag, means: Known if it was}
    site.status: {type: number, means: The answer}
    proxy.kind: {type: text, means: The proxy}
    upstream.container: {type: text, means: The app}
    upstream.kind: {type: text, means: What it runs in}
    container.exit: {type: number, means: How it ended}
    user.root: {type: flag, means: Known if it is root's shell}
    far.named: {type: list, means: Other machines}
    """,
    "Flows/checks.yaml": """
    site.answer:
      title: Does the site answer?
      hop: site
      by-hand: curl -sS {site.url}
      outcomes:
        ok: [ok, "It answers {site.status}.", It answers.]
        bad: [bad, "It answers {site.status}."]
        unknown: [unknown, "No answer: {unseen.reason}"]
    container.state:
      title: Does the container run?
      hop: upstream
      outcomes:
        running: [ok, "{upstream.container} runs."]
        stopped: [bad, "{upstream.container} has stopped with {container.exit}."]
        unknown: [unknown, "{unseen.reason}"]
    """,
    "Flows/signs/nginx.yaml": """
    proxies:
      - {kind: nginx, name: nginx, images: ['^nginx$'], processes: [nginx]}
    answers:
      - {by: nginx, headers: {Server: '^nginx'}}
      - {means: error-page, body: '<h1>502'}
    lines:
      - proxy: nginx
        pattern: 'connect\\(\\) failed \\((?<code>\\d+): (?<reason>[^)]+)\\)'
        shows: refused
        meaning: Nobody listens there.
        causes: [wrong-port, backend-stopped]
    """,
    "Screens/words.yaml": """
    quit: Quit
    hop.site: The site
    hop.upstream: The app
    hop.short.site: site
    hop.short.upstream: app
    """,
    "Screens/recipes.yaml": "load: Load its files.\n",
    "Screens/proxies/nginx.md": "## load\nReload it.\n",
    "Screens/glossary.yaml": """
    # Words
    port|ports: A numbered door of a machine.
    "published port": A port that leads to the inside.
    502: No good answer.
    """,
    "Screens/backend-stopped.md": """
    ---
    cause: backend-stopped
    title: The app behind {site.host} has stopped
    needs: [upstream.container]
    hides: [wrong-port]
    prevention: [Restart it always]
    sources: ["https://docs.docker.com/reference/cli/docker/container/start/"]
    ---

    `{upstream.container}` is **not** running.
    <!-- when: container.exit != 0 | 1, proxy.kind -->
    It ended with {container.exit}.
    <!-- always -->
    So nobody answers.

    ## See for yourself
    Ask Docker:

    - its state
    - its log

    ```sh host looks
    docker inspect {upstream.container}
    docker logs '{{json .}}'
    ```
    ## Put it right
    Start it.

    ```sh host changes
    docker start {upstream.container}
    ```
    <!-- when: !upstream.container -->
    Start the app behind {site.url}.
    """,
    "Screens/wrong-port.md": """
    ---
    cause: wrong-port
    title: The port is wrong
    sources: [experience]
    ---
    The port is wrong.

    ## Put it right
    Open the file.

    ```diff changes file=/etc/{upstream.kind}.conf line={site.port}
     server {
    -  listen {site.port};

    +  listen 80;
    ```
    Set it in the browser.
    ```form changes
    Set Forward Port to {site.port}
    ```
    <!-- do: load -->
    """,
  ]

  /// With `old`, which must be there, replaced in one file.
  init(_ path: String = "", _ old: String = "", _ new: String = "") {
    if path.isEmpty { return }
    guard let text = files[path], let range = text.firstRange(of: old) else {
      preconditionFailure("\(path) has no '\(old)'")
    }
    files[path] = text.replacingCharacters(in: range, with: new)
  }

  func read() -> (catalog: Catalog?, problems: [String]) {
    let (catalog, problems) = Reader.read(
      files: files.map { ($0.key, $0.value) }, shapes: Self.shapes, checkingPatterns: true)
    return (catalog, problems.map(\.description))
  }
}

extension String {
  fileprivate func replacingCharacters(in range: Range<Index>, with text: String) -> String {
    String(self[..<range.lowerBound]) + text + self[range.upperBound...]
  }
}
