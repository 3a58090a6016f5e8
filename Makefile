# The two commands that do everything: `make run` and `make test`. See CONTRIBUTING.md for the others.

comma := ,
PREFIX ?= /usr/local
BUILD := .build/release/wizard502
RELEASE := -c release --static-swift-stdlib -Xlinker -s --disable-local-rpath --product wizard502

# What the program is built from, and what its tests use for real.
STATIC := libyaml-dev libtomlplusplus-dev libcmark-dev libsqlite3-dev libpcre2-dev libarchive-dev zlib1g-dev liblzma-dev libzstd-dev libbz2-dev libc-ares-dev
LIBRARIES := libncurses-dev libcurl4-openssl-dev g++ libssl-dev $(STATIC)
PEERS := bind9-dnsutils docker.io docker-compose perl nginx-light haproxy apache2 lighttpd busybox-static openssl sqlite3 gcc tmux iptables nftables podman netavark aardvark-dns runc fuse-overlayfs iproute2 util-linux procps patch curl xz-utils zstd bzip2 python3 python3-minimal python3-yaml shellcheck strace cmark mandoc fish zsh php8.2-fpm uwsgi-core uwsgi-plugin-python3 openssh-server

.PHONY: run build test check lab by-hand answers walks drops hosts pastes thorough practice field hostile fuzz suites tables texts pictures bench format lint install uninstall package image test-packages libraries peers clean

run: build
	$(BUILD) $(URL)

build: libraries
	swift build $(RELEASE)
	! readelf -d $(BUILD) | grep -E 'R(UN)?PATH' # no library from the folder in which it happens to lie
	$(BUILD) lint

# Unit tests, the core of the staged faults on a real Docker engine and real proxies, the guided session in a terminal; and
# of every third of the core how many first causes are right by what was pasted, and by answers alone.
test: build peers
	swift build --build-tests
	swift test --skip-build --no-parallel --skip '^Lab\.'
	LAB_CORE=1 swift test --skip-build --filter '^Lab\.'
	LAB_CORE=1 LAB_SHARE=$$(( $$(date +%s) % 3 + 1 ))/3 LAB_BY_HAND=1 LAB_ANSWERS=1 swift test --skip-build --filter '^Lab\.Lab/byHand'

# The small circle while you write: what needs neither root nor an engine nor a proxy, in less than a minute.
SMALL := Checks|Data|Firewall|Flow|HTTP|Lines|Markdown|Model|Pattern|Reader|Report|Screen|TOML|World|YAML
check: libraries
	swift build --build-tests
	swift test --skip-build --no-parallel --filter '^($(SMALL))Tests\.' --skip 'CorpusTests|PumpTests'

# All staged faults, and nothing else; FAULT is a part of their names: make lab FAULT='wrong port'
lab: build peers
	LAB_ONLY='$(FAULT)' swift test --filter '^Lab\.'

# The recordings of the exercises, made anew from staged faults; FAULT as above.
practice: build peers
	LAB_PRACTICE='$(CURDIR)/Screens/practice' LAB_ONLY='$(FAULT)' swift test --filter '^Lab\.' --skip guided

# The same faults, diagnosed from nothing but what collect prints there; prints how many are right.
by-hand: build peers
	LAB_BY_HAND=1 LAB_ONLY='$(FAULT)' swift test --filter '^Lab\.Lab/byHand'

# Faults that commands can mend, walked in a real terminal by somebody who knows only what is on the screen.
walks: build peers
	LAB_WALKS=1 LAB_ONLY='$(FAULT)' swift test --filter '^Lab\.Lab/walked'

# Cuts the line of a session over a real sshd DROPS times, at random moments; DROPS_SEED repeats those of another run.
DROPS ?= 50
drops: build peers
	swift build --build-tests
	DROPS=$(DROPS) swift test --skip-build --filter '^ProgramTests\.SecureShellTests/drops'

# HOSTS machines, network namespaces with a real sshd and a real nginx, looked at side by side; prints the times of one and all.
HOSTS ?= 50
hosts: build peers
	swift build --build-tests
	HOSTS=$(HOSTS) WIZARD502=$(BUILD) swift test --skip-build --filter '^ProgramTests\.HostsTests/(many|why)'

# What a normal run does for a share that it draws: every patch on every system, every third line against every pattern.
thorough: build peers
	swift build --build-tests
	THOROUGH=1 swift test --skip-build --filter 'PatchTests|PumpTests'

# Pastes into a real terminal, in every size, marked and as if typed, and ten megabytes.
pastes: build peers
	swift build --build-tests
	PASTES=1 swift test --skip-build --filter '^ProgramTests\.PastingTests'

# The same faults where the program sees nothing and asks; a driver answers by what the questions' own commands print.
# Prints how many first causes are right and how many questions it took, and holds them to their limits.
answers: build peers
	LAB_ANSWERS=1 LAB_ONLY='$(FAULT)' swift test --filter '^Lab\.Lab/answered'

# Faults as the field tells of them, by another hand, drawn from a seed; ONLY is a part of their names: make field ONLY=vpn SEED=7
field: build peers
	Tests/Field/field --repair $(if $(SEED),--seed $(SEED)) $(if $(ONLY),--only '$(ONLY)')

# A hostile machine: a user's proxies, labels, files, servers and limits, each in namespaces of its own.
hostile: build peers
	swift build --build-tests
	swift test --skip-build --no-parallel --filter '^Hostile\.'

# Every reader on made-up input for SECONDS each, two at a time, with AddressSanitizer and guided by what ran where this
# toolchain has both; FUZZ is the name of one: make fuzz FUZZ=nginx SECONDS=60
SECONDS ?= 600
ASAN := $(wildcard $(dir $(realpath $(shell command -v swiftc)))../lib/clang/*/lib/linux/libclang_rt.asan-*.a)
SANITIZED := $(if $(ASAN),--sanitize=address -Xswiftc -sanitize-coverage=edge$(comma)trace-pc-guard)
fuzz: libraries
	swift build -c release --scratch-path .build/asan $(SANITIZED) --product fuzz
	.build/asan/release/fuzz $(or $(FUZZ),--all) --seconds $(SECONDS) --seed $$(date +%s)

# Other people's tests and configurations, from the folder SUITES; ONLY is one of them: make suites SUITES=DIR ONLY=nginx VERBOSE=1
suites: libraries peers
	swift build -c release --product peer-reader
	Tests/Peers/suites $(if $(VERBOSE),-v) '$(SUITES)' $(ONLY)

# Prints every fact with its type and who brings it; writes down anew what each reader of a proxy knows.
tables: libraries
	TABLES=1 swift test --filter 'everyFactHasATypeAndSomebodyWhoBringsIt|readersKnowAsMuchAsTheTableSays'
	cat Tests/DiscoveryTests/Proxies/knowledge.tsv

# The README's pictures and its asciicast, made anew from a real session.
pictures: build
	@Tests/install nginx-light python3-pyte iproute2 util-linux
	/usr/bin/python3 Tests/screens $(BUILD)

# Every text for people, for each language that there is: those that are new have a place there, those that are gone have none.
texts: libraries
	TEXTS=1 swift test --filter '^DataTests\.LanguageTests'

bench: build
	@Tests/install whiptail dialog
	Tests/bench
	@Tests/install ripgrep
	Tests/bench-explain

lint: build
	swift format lint --strict --recursive Sources Tests Plugins Package.swift

format:
	swift format --in-place --recursive Sources Tests Plugins Package.swift

# The program, its manual page and what shells complete.
install: build
	install -D -m 0755 $(BUILD) $(DESTDIR)$(PREFIX)/bin/wizard502
	Packaging/documents $(BUILD) $(DESTDIR)$(PREFIX)/share

uninstall:
	rm -f $(DESTDIR)$(PREFIX)/bin/wizard502
	Packaging/documents --remove $(DESTDIR)$(PREFIX)/share

# A Debian package, and a tarball for any Linux on amd64. Two builds of a commit give the same: what the compiler notes for
# itself differs from folder to folder, and is blanked.
PACKAGES := .build/packages
package: build
	@Tests/install dpkg-dev patchelf xz-utils lintian
	rm -rf $(PACKAGES)
	mkdir $(PACKAGES)
	Packaging/unmarked $(BUILD) $(PACKAGES)/wizard502
	Packaging/deb $(PACKAGES)/wizard502 $(PACKAGES) $(STATIC)
	lintian --fail-on error $(PACKAGES)/*.deb
	Packaging/tarball $(PACKAGES)/wizard502 $(PACKAGES) $(STATIC)

# The program as an image of Docker: docker run --rm -it --pid=host --privileged wizard502
image: package
	Packaging/image $(PACKAGES)/*-linux-amd64.tar.xz $(PACKAGES)
	docker load --input $(PACKAGES)/*-image.tar

# Package and tarball on fresh systems of Debian 11, 12 and 13, made with debootstrap.
test-packages: package
	@Tests/install debootstrap
	Tests/packages $(PACKAGES)

libraries:
	@Tests/install $(LIBRARIES)

peers:
	@Tests/install $(PEERS)
	@Tests/wheels

clean:
	swift package clean
