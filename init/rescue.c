/* SPDX-License-Identifier: 0BSD */
#include <time.h>

#include "base/embedded.h"
#include "base/fmt.h"
#include "init/init.h"
#include "init/origins.h"
#include "options.h"
#include "source/feed.h"
#include "worker/job.h"

#define STATE_QUIET_MS 30 /* after a device, before the boot state is read */
#define SETTLE_TIMES 10   /* of settle_ms: devices that come for ever */
#define AGAIN_MS 2000     /* between attempts after a passing failure */
#define AGAIN_MAX 3u      /* of them; then a person is asked */
#define FAILED_MAX 10     /* installs that fail in one boot, unattended */
#define GONE_MS 3000      /* a failure this soon after a removal is its */
#define STALL_GRACE_S 30  /* for the job's own time-out to have its effect */
#define FIRST_BEAT_MS 800 /* whatever the disks do */
#define SOON_MS 3000      /* no two of them in this time, if nothing changed */
#define BEAT_MS 30000
#define BEAT_COUNTDOWN_MS 10000
#define LINE_MS 2000 /* progress on serial lines */
#define REDRAW_MS 300

/* Times are clock_ms(); 0: not set. */
static struct {
	const struct config *config;
	bool loading;

	bool running; /* a job */
	enum job_verb verb;
	bool late;   /* the job was started because the wait is over */
	bool forced; /* a person wants what is found installed in any case */
	bool acted;  /* it was told to write */
	/* Of the job that runs: where from, if not media; a console's line */
	char origin[FEED_NAME];
	int line;
	unsigned receive; /* a console to receive over, counted from 1 */
	bool person;      /* and who wants it: a person, or a sender */
	enum policy_medium media; /* what the last search of media found */
	bool far;                 /* and there was a bundle elsewhere, since */
	const char *why;
	uint64_t moves, moved_at;

	bool known; /* facts hold something, */
	bool stale; /* but of before a failed install */
	struct job_facts facts;
	enum policy_slots said_slots;
	unsigned said_tries;

	uint64_t state_at, search_at; /* when a job is due */
	uint64_t burst_at;            /* first of the devices waited out */
	uint64_t quiet_since;         /* of the medium and the keys */
	bool waited;                  /* and the table was asked what follows */
	uint64_t removed_at;
	uint64_t beat_at, beaten_at; /* the next and the last waiting line */
	const char *beat_why;        /* what it counted down to, or NULL */

	struct diag last;  /* the last failure */
	unsigned again;    /* attempts since something was plugged in */
	bool failed;       /* what is plugged in was tried in vain */
	unsigned failures; /* installs, since a person was there */

	struct job_candidate menu[JOB_CANDIDATES]; /* of the last search */
	unsigned menus;
	bool listed;     /* and they were shown */
	char asked[160]; /* the one a person chose, or empty */

	enum install_phase phase;
	uint64_t phase_at, phase_from, phase_done, line_at, redraw_at;
} life;

/* ---- facts and the decision */

static void say_boot_state(const struct job_facts *f)
{
	static const char *const boots[] = {
	    [POLICY_BOOTABLE] = "a slot can be booted",
	    [POLICY_EXHAUSTED] = "its boot attempts are used up",
	    [POLICY_BAD] = "marked bad or half installed",
	    [POLICY_UNKNOWN] = "unknown what can be booted",
	};

	log_info("boot state: %s: %s",
	    f->env_valid ? f->env_text : "not readable", boots[f->boot]);
}

/* What is new since the facts that are held. */
static void say_facts(const struct job_facts *f)
{
	if (!life.known || f->boot != life.facts.boot ||
	    strcmp(f->env_text, life.facts.env_text) != 0)
		say_boot_state(f);
	if (life.verb == JOB_STATE)
		return;
	if (f->slots != life.said_slots && f->slots != POLICY_INTACT)
		log_warn("slots: incomplete, or a device is missing");
	if (f->tries != life.said_tries && f->tries > 0)
		log_info("unattended attempts: %u of %u", f->tries,
		    life.config->settings.retries);
	life.said_slots = f->slots;
	life.said_tries = f->tries;
	if (f->refused != 0 && f->refused != R_NO_MEDIUM)
		log_warn("nothing to install: %s [%s]", reason_help(f->refused),
		    reason_name(f->refused));
}

static bool has_bundle(void)
{
	return life.known && (life.facts.medium == POLICY_NEW ||
	                         life.facts.medium == POLICY_SAME);
}

/* Asks the table, as things stand. */
static enum policy_action decide(bool late, const char **why)
{
	const struct settings *s = &life.config->settings;
	struct policy_in in = {
	    .boot = life.facts.boot,
	    .slots = life.facts.slots,
	    .medium = life.facts.medium,
	    .tries = life.facts.tries,
	    .retries = s->retries,
	    .waited = late,
	};

	if (!has_bundle())
		return policy_decide(&in, why);
	if (life.forced) {
		/* not counted against the unattended attempts */
		in.medium = POLICY_NEW;
		in.tries = 0;
		in.retries = 1;
	} else if (life.failed || life.failures >= FAILED_MAX) {
		in.medium = POLICY_REFUSED;
	} else if (s->reinstall && life.facts.env_valid) {
		/* where nothing is stored nothing is counted either */
		in.medium = POLICY_NEW;
	}
	return policy_decide(&in, why);
}

static enum policy_action on_facts(void *ctx, const struct job_facts *f)
{
	enum policy_medium medium = f->medium;
	enum policy_action action;
	bool media = life.verb != JOB_STATE && life.origin[0] == '\0';

	(void)ctx;
	/* a disk that does not answer yet is no news */
	if (life.verb == JOB_STATE && !f->env_valid && !life.known)
		return POLICY_WAIT;
	/* known only after a search of media; what is far away is no news */
	if (!life.known || (media && medium != life.media))
		rescue_attended(clock_ms());
	if (media)
		life.media = medium;
	if (life.verb == JOB_STATE)
		medium = life.media;
	say_facts(f);
	life.facts = *f;
	life.facts.medium = medium;
	life.known = true;
	life.stale = false;
	if (life.verb == JOB_STATE)
		return POLICY_WAIT;

	action = decide(life.late, &life.why);
	life.acted = action == POLICY_INSTALL || action == POLICY_REARM;
	if (action == POLICY_INSTALL)
		log_info("installing %s from %s to %s: %s", f->version, f->path,
		    f->targets, life.why);
	return action;
}

static void on_log(void *ctx, enum log_level level, const char *line)
{
	(void)ctx;
	if (life.verb != JOB_STATE)
		log_line(level, "%s", line);
}

static void on_progress(
    void *ctx, enum install_phase phase, uint64_t done, uint64_t total)
{
	uint64_t now = clock_ms();
	uint64_t rate = 0;
	char text[120];
	bool line;

	(void)ctx;
	if (phase != life.phase || done < life.phase_done) {
		life.phase = phase;
		life.phase_at = now;
		life.phase_from = done;
		life.line_at = 0;
		life.redraw_at = 0;
	} else if (done == life.phase_done && done >= total)
		return; /* its end was shown */
	life.phase_done = done;
	line = now - life.line_at >= LINE_MS || done >= total;
	if (!line && now - life.redraw_at < REDRAW_MS)
		return;
	if (now - life.phase_at >= 100)
		rate = (done - life.phase_from) * 1000 / (now - life.phase_at);
	progress_format(text, sizeof text, phase, done, total, rate);
	console_progress(text, line);
	life.redraw_at = now;
	if (line)
		life.line_at = now;
}

static void on_candidate(void *ctx, const struct job_candidate *c)
{
	(void)ctx;
	if (life.menus < JOB_CANDIDATES)
		life.menu[life.menus++] = *c;
}

/* Why something happens when the wait is over, or NULL: nothing does. */
static const char *countdown(void)
{
	const char *why;
	enum policy_action next;

	if (!life.known || life.stale || life.waited || life.search_at != 0)
		return NULL;
	next = decide(true, &why);
	return next == POLICY_REARM || next == POLICY_REBOOT ? why : NULL;
}

/* ---- the job's life */

static void on_failure(int reason, const char *seen, uint64_t now)
{
	const char *pulled = "";
	bool passing =
	    life.origin[0] == '\0' &&
	    (reason == R_IO || reason == R_CHILD || reason == R_TIMEOUT);

	if (passing && life.removed_at != 0 &&
	    now - life.removed_at < GONE_MS) {
		reason = R_MEDIUM_GONE;
		pulled = "a device was pulled out: ";
		passing = false;
	}
	diag_clear(&life.last);
	(void)diag_fail(&life.last, reason, "%s%s", pulled, seen);
	log_diag(life.acted ? "install" : "search", &life.last);
	if (life.acted) {
		life.failures++;
		life.stale = life.known;
		life.state_at = now;
	}
	if (passing && life.again < AGAIN_MAX) {
		life.again++;
		life.search_at = now + AGAIN_MS;
		life.beat_at = now + BEAT_MS;
		log_info("trying again (%u of %u)", life.again, AGAIN_MAX);
		return;
	}
	if (life.acted && life.origin[0] == '\0')
		life.failed = true;
	life.beat_at = now;
}

/* Where is looked next, after this one. */
static void end_search(int reason, const char *seen, uint64_t now)
{
	bool feed = life.origin[0] != '\0';

	if (feed && reason == R_CANCELLED)
		origins_forget();
	else if (reason != 0)
		on_failure(reason, seen, now);
	if (feed)
		origins_tried(now);
	if (life.line > 0)
		console_take_back();
	life.line = 0;
	life.origin[0] = '\0';
	if (!feed && has_bundle())
		origins_forget();
	else
		origins_want(now);
}

static void start_job(enum job_verb verb, bool late, uint64_t now)
{
	static struct job_setup setup;
	const struct config *c = life.config;
	struct diag d = {0};

	setup = (struct job_setup){
	    .verb = verb,
	    .conf = &c->conf,
	    .settings = &c->settings,
	    .keyring = &c->keyring,
	    .recipient = &c->recipient,
	    .fw_env = c->have_fw_env ? &c->fw_env : NULL,
	    .initial_env = c->initial_env,
	    .booted = c->settings.rauc_slot,
	    .chosen = life.asked[0] != '\0' ? life.asked : NULL,
	    .extract_dir = -1,
	    .bundle = life.origin[0] != '\0' ? life.origin : NULL,
	    .line = life.line,
	    .give_up_good = life.forced,
	    .now = time(NULL),
	    .floor = build_epoch,
	    .log = on_log,
	    .progress = on_progress,
	    .candidate = on_candidate,
	    .decide = on_facts,
	};
	life.verb = verb;
	life.late = late;
	life.acted = false;
	life.why = "";
	life.phase_done = UINT64_MAX; /* so that the first one is new */
	life.moved_at = now;
	life.state_at = 0;
	if (verb != JOB_STATE) {
		life.search_at = 0;
		life.burst_at = 0;
		life.menus = 0;
		life.listed = false;
		diag_clear(&life.last);
	}
	if (job_start(&setup, &d) == 0)
		life.running = true;
	else if (verb != JOB_STATE)
		end_search(d.reason, d.seen, now);
}

static void on_installed(const struct job_result *r)
{
	unsigned long long size = r->bytes / 100000, time = r->ms / 100;

	log_info("installed %s to %s: %llu.%llu MB in %llu.%llu s",
	    life.facts.version, life.facts.targets, size / 10, size % 10,
	    time / 10, time % 10);
	departure_begin(&life.config->settings, life.config->settings.poweroff,
	    "the new system is in place", clock_ms());
}

static void on_result(const struct job_result *r, uint64_t now)
{
	life.running = false;
	if (life.verb == JOB_STATE) {
		if (life.known)
			life.beat_at = now;
		return;
	}
	/* wanted installed in any case: what is far away, too */
	if (life.origin[0] != '\0' || !life.far || has_bundle())
		life.forced = false;
	/* the first search rarely brings more than was said just before */
	if (now - life.beaten_at > SOON_MS || life.beat_why != countdown())
		life.beat_at = now;
	end_search(r->reason, r->seen, now);
	if (r->reason != 0)
		return;
	if (r->action == POLICY_INSTALL)
		on_installed(r);
	else if (r->action == POLICY_REARM || r->action == POLICY_REBOOT)
		departure_begin(&life.config->settings, false, life.why, now);
	else if (life.facts.refused == R_IO)
		on_failure(R_IO, "the medium cannot be read", now);
	else if (r->action == POLICY_EXPLAIN ||
	         life.facts.medium != POLICY_NONE)
		log_warn("%s", life.why);
}

static void end_job(const struct job_result *r, uint64_t now)
{
	bool feed = life.origin[0] != '\0';

	on_result(r, now);
	if (feed) {
		life.far = has_bundle();
		life.state_at = life.far ? now : life.state_at;
		life.facts.medium = life.media; /* which stays */
	}
}

bool rescue_moves(uint64_t now)
{
	uint64_t limit = (job_stall_s() + STALL_GRACE_S) * UINT64_C(1000);
	uint64_t moves = job_moves();

	if (!life.running || moves != life.moves) {
		life.moves = moves;
		life.moved_at = now;
	}
	return now - life.moved_at <= limit;
}

bool rescue_writes(void)
{
	return life.running && life.acted;
}

void rescue_end(void)
{
	if (life.running)
		job_cancel(R_CANCELLED, "");
}

/* ---- devices */

/* Something came or went: look when it has been quiet for a while, but do
 * not wait for devices that never are. */
static void search_soon(uint64_t now)
{
	uint64_t settle = life.config->settings.settle_ms;

	if (life.burst_at == 0)
		life.burst_at = now;
	life.search_at =
	    MIN(now + settle, life.burst_at + settle * SETTLE_TIMES);
	if (!life.known)
		life.state_at = now + STATE_QUIET_MS;
}

void rescue_plugged(uint64_t now)
{
	life.again = 0;
	life.failed = false;
	life.asked[0] = '\0';
	life.far = false;
	if (!rescue_writes()) /* what is written may come from there */
		origins_forget();
	search_soon(now);
}

/* True if the bundle being read, "sda1:/x.raucb", lies there. */
static bool is_source(struct slice devname)
{
	const char *path = life.facts.path;

	return strncmp(path, devname.p, devname.len) == 0 &&
	       path[devname.len] == ':';
}

void rescue_uevent(const struct uevent *e, uint64_t now)
{
	if (!slice_is(e->subsystem, "block"))
		return;
	if (e->action == UEVENT_REMOVE) {
		life.removed_at = now;
		search_soon(now);
		if (rescue_writes() && is_source(e->devname))
			job_cancel(R_MEDIUM_GONE, "the medium was pulled out");
	} else if (e->action == UEVENT_ADD) {
		if (life.known && !life.loading && life.burst_at == 0 &&
		    !rescue_writes())
			log_info("%.*s: looking for bundles (*.raucb)",
			    (int)e->devname.len, e->devname.p);
		rescue_plugged(now);
	} else if (e->media_change) {
		/* other changes are made by opening a device, as we do */
		rescue_plugged(now);
	}
}

/* ---- waiting */

static uint64_t wait_end(void)
{
	return life.quiet_since + life.config->settings.wait_s * UINT64_C(1000);
}

static uint64_t until(uint64_t at, uint64_t now)
{
	return at > now ? at - now : 0;
}

static void beat(uint64_t now)
{
	static const char waiting[] =
	    "waiting for a medium with a bundle (*.raucb)";
	const struct diag *broken = &life.config->broken;
	const char *why = countdown();

	life.beat_at = now + (why ? BEAT_COUNTDOWN_MS : BEAT_MS);
	life.beaten_at = now;
	if (broken->reason != 0) {
		log_err("nothing can be installed: %s [%s]", broken->seen,
		    reason_name(broken->reason));
	} else if (why) {
		log_info("%s; without a new one, reboots in %llu s", waiting,
		    (unsigned long long)(until(wait_end(), now) + 999) / 1000);
		if (why != life.beat_why)
			log_info("  because %s", why);
	} else if (life.last.reason != 0) {
		log_info("%s; the last attempt failed: %s [%s]", waiting,
		    life.last.seen, reason_name(life.last.reason));
	} else {
		log_info("%s; h for help", waiting);
	}
	life.beat_why = why;
}

static bool is_due(uint64_t at, uint64_t now)
{
	return at != 0 && now >= at;
}

static void start_receiving(uint64_t now)
{
	char name[32];

	life.line = console_lend(life.receive - 1, name, sizeof name);
	life.receive = 0;
	if (life.line < 0) {
		life.line = 0;
		log_info("x receives over a serial line: press it there");
		return;
	}
	fmt(life.origin, sizeof life.origin, "serial:/dev/%s", name);
	life.forced |= life.person;
	life.failed = false;
	start_job(JOB_RESCUE, false, now);
}

static void start_feed(uint64_t now)
{
	struct diag d = {0};
	int r = origins_step(life.origin, now, &d);

	if (r == 1) {
		log_info("looking at %s", life.origin);
		start_job(JOB_RESCUE, false, now);
	} else if (r < 0) {
		life.last = d;
		log_diag("source", &d);
	}
}

static void start_what_is_due(uint64_t now)
{
	if (is_due(life.state_at, now)) {
		start_job(JOB_STATE, false, now);
	} else if (is_due(life.search_at, now) && !life.loading) {
		start_job(JOB_RESCUE, false, now);
	} else if (life.receive > 0) {
		start_receiving(now);
	} else if (countdown() && now >= wait_end()) {
		life.waited = true;
		start_job(JOB_RESCUE, true, now);
	} else
		start_feed(now);
}

/* To what is plugged in: the job waits for what is far away. */
static bool gives_way(void)
{
	return life.origin[0] != '\0' && !life.acted && life.line == 0;
}

void rescue_step(const struct pollfd *p, unsigned count, uint64_t now)
{
	static struct job_result result;

	if (life.running && gives_way() && is_due(life.search_at, now))
		rescue_end();
	if (life.running && job_step(p, count, now, &result) == 0)
		end_job(&result, now);
	if (departure_step(now))
		return;
	if (!life.running && life.config->broken.reason == 0)
		start_what_is_due(now);
	if (!life.running && is_due(life.beat_at, now))
		beat(now);
}

static int earlier(int ms, uint64_t at, uint64_t now)
{
	return at != 0 ? (int)MIN(until(at, now), (uint64_t)ms) : ms;
}

int rescue_timeout_ms(uint64_t now)
{
	int ms = BEAT_MS;

	if (life.running) {
		ms = job_timeout_ms(now);
		ms = ms >= 0 ? MIN(ms, BEAT_MS) : BEAT_MS;
		return gives_way() ? earlier(ms, life.search_at, now) : ms;
	}
	if (departure_timeout_ms(now) >= 0)
		return departure_timeout_ms(now);
	ms = earlier(ms, life.beat_at, now);
	if (life.config->broken.reason != 0)
		return ms;
	if (life.receive > 0)
		return 0;
	ms = earlier(ms, life.state_at, now);
	if (!life.loading)
		ms = earlier(ms, life.search_at, now);
	if (countdown())
		ms = earlier(ms, wait_end(), now);
	if (origins_timeout_ms(now) >= 0)
		ms = MIN(ms, origins_timeout_ms(now));
	return ms;
}

unsigned rescue_poll_fds(struct pollfd *p)
{
	return life.running ? job_poll_fds(p) : 0;
}

/* ---- from outside */

void rescue_begin(const struct config *c, bool loading, uint64_t now)
{
	life.config = c;
	life.loading = loading;
	life.quiet_since = now;
	life.beat_at = now + FIRST_BEAT_MS;
	origins_begin(&c->settings);
	search_soon(now);
}

void rescue_loaded(uint64_t now)
{
	life.loading = false;
	life.burst_at = 0;
	search_soon(now);
}

void rescue_attended(uint64_t now)
{
	life.quiet_since = now;
	life.waited = false;
}

void rescue_again(uint64_t now)
{
	if (life.running)
		return;
	life.forced = has_bundle() || life.far;
	origins_forget();
	life.asked[0] = '\0';
	life.again = 0;
	life.failed = false;
	life.failures = 0;
	life.search_at = now;
	log_info(life.forced ? "installing what is found" : "searching again");
}

void rescue_list(void)
{
	for (unsigned i = 0; i < life.menus; i++)
		log_info("%u: %s", i + 1, life.menu[i].line);
	log_info(life.menus > 0 ? "press its digit to install one of these"
	                        : "the last search found no bundle");
	life.listed = true;
}

void rescue_choose(unsigned number, uint64_t now)
{
	/* noise on an open serial line does not list them first */
	if (life.running || !life.listed || number > life.menus)
		return;
	rescue_again(now);
	life.forced = true;
	memcpy(life.asked, life.menu[number - 1].where, sizeof life.asked);
	log_info("chosen: %s", life.asked);
}

void rescue_receive(unsigned console, bool person)
{
	if (rescue_writes() || life.line > 0)
		return;
	if (life.config->broken.reason != 0) {
		life.beat_at = 1;
		return;
	}
	log_info("receiving: start the sender (XMODEM, YMODEM, ZMODEM)");
	/* a search of media ends by itself; noise does not cost it */
	if (life.origin[0] != '\0')
		rescue_end();
	life.receive = console + 1;
	life.person = person;
}

void rescue_say(void)
{
	log_info("keys: i search again%s, l list the bundles and choose one, "
	         "%sr reboot, p power off, h help",
	    has_bundle() || life.far ? " and install what is found" : "",
	    OPT_SERIAL ? "x receive over this serial line, " : "");
	if (life.known)
		say_boot_state(&life.facts);
	life.beat_at = 1;
	life.beat_why = NULL;
}
