#include "control/plugin_registry.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <filesystem>
#include <map>
#include <mutex>
#include <thread>

#include "base/error.hpp"
#include "base/logging.hpp"
#include "control/plugin_cache.hpp"
#include "control/worker_client.hpp"
#include "protocol/message_json.hpp"

namespace dbackup::host {
namespace {

using AdapterPtr = std::shared_ptr<const RegisteredAdapter>;

constexpr std::chrono::seconds kDescribeLimit{30};

/// Throws when somebody else could have put code there.
void refuse_writable_by_others(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) throw_errno(errno, "cannot look at \"" + path + "\"");
  const bool by_group = (info.st_mode & S_IWGRP) != 0 && info.st_gid != ::getegid() && info.st_gid != 0;
  if ((info.st_mode & S_IWOTH) != 0 || by_group) {
    throw Error(ErrorCode::PermissionDenied,
                "\"" + path + "\" can be written by others; a plugin there is not loaded");
  }
}

/// One file and what became of it.
struct Candidate {
  std::string path, hash, failure;
  Json description;
  bool is_cached = false;
};

}  // namespace

struct PluginRegistry::State {
  const ControlContext& context;
  WorkerClient& workers;
  std::vector<std::string> directories;

  std::mutex refreshing;  // one refresh at a time
  mutable std::mutex mutex;
  mutable std::condition_variable changed;
  bool is_ready = false;
  std::map<std::string, AdapterPtr> adapters;
  std::vector<BrokenPlugin> broken;
  std::stop_source stop;
  std::thread thread;

  std::vector<Candidate> find_files() const {
    std::vector<Candidate> out;
    for (const auto& directory : directories) {
      std::error_code failure;
      std::vector<std::string> names;
      for (const auto& entry : std::filesystem::directory_iterator{directory, failure}) {
        if (entry.path().extension() == ".so") names.push_back(entry.path().string());
      }
      std::sort(names.begin(), names.end());
      for (auto& name : names) {
        Candidate candidate{.path = std::move(name)};
        try {
          refuse_writable_by_others(directory);
          refuse_writable_by_others(candidate.path);
        } catch (const Error& error) {
          candidate.failure = error.what();
        }
        out.push_back(std::move(candidate));
      }
    }
    return out;
  }

  void describe(Candidate& candidate, const PluginCache& cache) const {
    try {
      candidate.hash = file_hash(candidate.path);
      if (auto known = cache.find(candidate.path, candidate.hash)) {
        candidate.description = std::move(*known);
        candidate.is_cached = true;
        return;
      }
      WorkerCall call;
      call.deadline = kDescribeLimit;
      call.lane = WorkerLane::Background;
      call.stop = stop.get_token();
      candidate.description = workers.run(protocol::Operation::Describe,
                                          Json(protocol::DescribeRequest{candidate.path}), call);
    } catch (const Error& error) {
      candidate.failure = error.what();
    } catch (const std::exception& error) {
      candidate.failure = std::string("it cannot be described: ") + error.what();
    }
  }

  void describe_all(std::vector<Candidate>& candidates, const PluginCache& cache) const {
    std::atomic<size_t> next{0};
    const auto take = [&]() noexcept {
      for (size_t i = next++; i < candidates.size(); i = next++) {
        if (candidates[i].failure.empty()) describe(candidates[i], cache);
      }
    };
    const size_t count =
        std::min<size_t>(candidates.size(), std::max(1U, std::thread::hardware_concurrency()));
    std::vector<std::thread> helpers;
    for (size_t i = 1; i < count; ++i) helpers.emplace_back(take);
    take();
    for (auto& helper : helpers) helper.join();
  }

  static void take(const Candidate& candidate, std::map<std::string, AdapterPtr>& found,
                   std::vector<BrokenPlugin>& bad) {
    try {
      const auto description = protocol::body_as<protocol::DescribeResult>(candidate.description);
      for (const Json& json : description.adapters) {
        auto adapter = std::make_shared<RegisteredAdapter>();
        adapter->descriptor = protocol::parse_descriptor(json);
        adapter->plugin_path = candidate.path;
        adapter->plugin_id = description.plugin_id;
        adapter->plugin_name = description.name;
        adapter->plugin_version = description.version;
        const auto [place, is_new] = found.emplace(adapter->descriptor.id, adapter);
        if (!is_new) {
          bad.push_back({candidate.path, "adapter \"" + adapter->descriptor.id + "\" is already offered by \"" +
                                             place->second->plugin_path + "\""});
        }
      }
    } catch (const std::exception& error) {
      bad.push_back({candidate.path, std::string("its description cannot be used: ") + error.what()});
    }
  }

  void finish(std::map<std::string, AdapterPtr> found, std::vector<BrokenPlugin> bad) {
    for (const auto& plugin : bad) log_warning("plugin \"" + plugin.path + "\": " + plugin.reason);
    const std::lock_guard lock{mutex};
    adapters = std::move(found);
    broken = std::move(bad);
    is_ready = true;
    changed.notify_all();
  }
};

PluginRegistry::PluginRegistry(const ControlContext& context, WorkerClient& workers,
                               std::vector<std::string> directories)
    : state_{new State{.context = context, .workers = workers, .directories = std::move(directories)}} {}

PluginRegistry::~PluginRegistry() {
  state_->stop.request_stop();
  if (state_->thread.joinable()) state_->thread.join();
}

void PluginRegistry::refresh() {
  const std::lock_guard lock{state_->refreshing};
  std::map<std::string, AdapterPtr> found;
  std::vector<BrokenPlugin> bad;
  try {
    PluginCache cache{state_->context.data_dir + "/cache/plugins.json", state_->context.program_version};
    std::vector<Candidate> candidates = state_->find_files();
    state_->describe_all(candidates, cache);
    bool is_changed = false;
    for (const auto& candidate : candidates) {
      if (!candidate.failure.empty()) {
        bad.push_back({candidate.path, candidate.failure});
        continue;
      }
      if (!candidate.is_cached) {
        cache.put(candidate.path, candidate.hash, candidate.description);
        is_changed = true;
      }
      State::take(candidate, found, bad);
    }
    if (is_changed && !state_->context.data_dir.empty()) cache.save();
  } catch (const std::exception& error) {
    log_error(std::string("the plugins cannot be listed: ") + error.what());
  }
  state_->finish(std::move(found), std::move(bad));
}

void PluginRegistry::start() {
  if (state_->thread.joinable()) return;
  state_->thread = std::thread{[this]() noexcept {
    try {
      refresh();
    } catch (...) {
      log_error("the plugins cannot be listed");
      state_->finish({}, {});
    }
  }};
}

bool PluginRegistry::is_ready() const {
  const std::lock_guard lock{state_->mutex};
  return state_->is_ready;
}

void PluginRegistry::wait_ready() const {
  std::unique_lock lock{state_->mutex};
  state_->changed.wait(lock, [this] { return state_->is_ready; });
}

AdapterPtr PluginRegistry::find(const std::string& adapter_id,
                                std::optional<protocol::AdapterKind> kind) const {
  wait_ready();
  const std::lock_guard lock{state_->mutex};
  const auto found = state_->adapters.find(adapter_id);
  if (found == state_->adapters.end()) return nullptr;
  if (kind && found->second->descriptor.kind != *kind) return nullptr;
  return found->second;
}

std::vector<AdapterPtr> PluginRegistry::list() const {
  wait_ready();
  const std::lock_guard lock{state_->mutex};
  std::vector<AdapterPtr> out;
  for (const auto& [id, adapter] : state_->adapters) out.push_back(adapter);
  return out;
}

std::vector<BrokenPlugin> PluginRegistry::broken() const {
  wait_ready();
  const std::lock_guard lock{state_->mutex};
  return state_->broken;
}

}  // namespace dbackup::host
