#include <sys/prctl.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <memory>
#include <thread>

#include "api/api_server.hpp"
#include "api/authenticator.hpp"
#include "base/error.hpp"
#include "base/id.hpp"
#include "base/logging.hpp"
#include "cli/command.hpp"
#include "cli/instance.hpp"
#include "cli/plugin_folders.hpp"
#include "cli/version.hpp"
#include "control/control_plane.hpp"
#include "control/stored_settings.hpp"
#include "control/time_zone.hpp"
#include "services/services.hpp"
#include "store/profile_store.hpp"

namespace dbackup::host {
namespace {

constexpr auto kDrainTime = std::chrono::seconds{5};

LogOptions log_options(const Settings& settings) {
  const std::string level = settings.text("log.level");
  return {.level = level == "debug"     ? LogLevel::Debug
                   : level == "warning" ? LogLevel::Warning
                   : level == "error"   ? LogLevel::Error
                                        : LogLevel::Info,
          .json = settings.text("log.format") == "json"};
}

/// Signals are taken by sigwait() alone, so they are blocked before the first thread starts.
sigset_t block_signals() {
  std::signal(SIGPIPE, SIG_IGN);
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&signals, signal);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return signals;
}

void harden_process() {
#ifndef DBACKUP_SANITIZED
  // Otherwise a tool of the same user could read the master key from this process' environment or memory.
  ::prctl(PR_SET_DUMPABLE, 0);
#endif
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < files.rlim_max) {
    files.rlim_cur = files.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &files);
  }
}

void apply_stored(Settings& settings, Database& database) {
  database.read(
      [&](Session& session) { apply_stored_settings(settings, SettingStore{}.list(session)); });
  const std::string zone = settings.text("system.timezone");
  if (!is_time_zone(zone)) {
    log_warning("the time zone \"" + zone + "\" is not known: schedules and names go by UTC");
  }
}

ControlPlaneOptions control_options(const Settings& settings) {
  ControlPlaneOptions options;
  options.plugin_directories = plugin_folders(settings);
  options.limits.max_requests = static_cast<size_t>(settings.integer("queue.max_operations"));
  const long long mib = settings.integer("worker.address_space_mib");
  if (mib > 0) {
    options.worker.arguments = {"worker", "--address-space", std::to_string(mib * 1024 * 1024)};
  }
  return options;
}

ApiServerOptions api_options(const Settings& settings) {
  ApiServerOptions options;
  options.public_url = settings.text("server.public_url");
  options.is_https =
      settings.flag("tls.enabled") || options.public_url.starts_with("https://");
  options.web_folder = web_folder();
  options.log_requests = settings.text("log.level") == "debug";
  options.http.address = settings.text("server.address");
  options.http.port = static_cast<uint16_t>(settings.integer("server.port"));
  options.http.reactor_threads = static_cast<size_t>(settings.integer("server.reactor_threads"));
  options.http.max_connections = static_cast<size_t>(settings.integer("server.max_connections"));
  options.http.quick.threads = static_cast<size_t>(settings.integer("server.quick_threads"));
  options.http.slow.threads = static_cast<size_t>(settings.integer("server.slow_threads"));
  return options;
}

/// Waits for the signal to stop; SIGHUP is the word to read renewed certificates. A second one, while `stop` still runs, ends the process at once: workers die
/// with it, and the next start reconciles.
void run_until_signal(const sigset_t& signals, const std::function<void()>& reload,
                      const std::function<void()>& stop) {
  int signal = 0;
  for (sigwait(&signals, &signal); signal == SIGHUP; sigwait(&signals, &signal)) {
    try {
      reload();
      log_info("certificates were read again");
    } catch (const std::exception& error) {
      log_error(std::string("the certificate stays as it was: ") + error.what());
    }
  }
  log_info("stopping: running backups may finish; a second signal ends at once");
  std::thread impatient{[&signals] {
    int again = 0;
    do {
      sigwait(&signals, &again);
    } while (again != SIGTERM && again != SIGINT && again != SIGHUP);
    if (again != SIGHUP) ::_exit(kExitFailure);
  }};
  stop();
  pthread_kill(impatient.native_handle(), SIGHUP);
  impatient.join();
}

int serve(const InstanceOptions& arguments) {
  const sigset_t signals = block_signals();
  harden_process();
  set_up_logging(log_options(load_settings(arguments)));
  Instance instance = Instance::open(arguments);
  const UniqueFd lock = lock_data_directory(instance.data_dir);
  ::unsetenv("DBACKUP_ENCRYPTION_KEY");
  apply_stored(instance.settings, *instance.database);
  if (instance.master_key.origin == MasterKey::Origin::Generated) {
    log_warning("made a new master key in " + master_key_path(instance.data_dir).string() +
                ": without a copy of it elsewhere, stored secrets are lost with this machine");
  }
  LiveSettings live{instance.settings};
  const SystemClock clock;
  ControlPlane control{{.database = *instance.database,
                        .box = *instance.box,
                        .clock = clock,
                        .host_id = new_uuid(),
                        .program_version = kProgramVersion,
                        .data_dir = instance.data_dir.string(),
                        .live = live},
                       instance.master_key.bytes,
                       control_options(instance.settings)};
  Services services{control};
  ApiServer api{services, api_options(instance.settings)};
  api.start();
  control.start();
  log_info(std::string("dbackup ") + kProgramVersion + " listening on " +
           (instance.settings.flag("tls.enabled") ? "https://" : "http://") +
           instance.settings.text("server.address") + ":" + std::to_string(api.port()) + ", data in " +
           instance.data_dir.string());
  run_until_signal(signals, [&] { services.certificates.reload(); }, [&] {
    control.stop(std::chrono::seconds{instance.settings.integer("server.shutdown_grace_seconds")});
    api.drain_and_stop(kDrainTime);
  });
  log_info("stopped");
  return kExitOk;
}

}  // namespace

void add_serve_command(CLI::App& program, CommandBody& chosen) {
  auto options = std::make_shared<InstanceOptions>();
  CLI::App* command = program.add_subcommand("serve", "run the server until SIGTERM or SIGINT");
  add_instance_options(*command, *options);
  command->callback([=, &chosen] { chosen = [=] { return serve(*options); }; });
}

}  // namespace dbackup::host
