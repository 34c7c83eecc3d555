#include "tests/support/dbackup_server.hpp"

#include <curl/curl.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <fstream>
#include <regex>
#include <sstream>
#include <stdexcept>
#include <thread>
#include "tests/support/paths.hpp"

namespace dbackup::testing {
namespace fs = std::filesystem;
namespace {

const std::string kProgram = ::dbackup::test::binary_dir() + "/bin/dbackup";

std::string read_file(const fs::path& path) {
  std::ifstream in{path, std::ios::binary};
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

size_t append(char* data, size_t size, size_t count, void* out) {
  static_cast<std::string*>(out)->append(data, size * count);
  return size * count;
}

size_t header(char* data, size_t size, size_t count, void* out) {
  const std::string line(data, size * count);
  const size_t colon = line.find(':');
  if (colon != std::string::npos) {
    std::string name = line.substr(0, colon);
    std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    const size_t begin = line.find_first_not_of(' ', colon + 1);
    const size_t end = line.find_last_not_of("\r\n");
    (*static_cast<std::map<std::string, std::string>*>(out))[name] = begin > end ? "" : line.substr(begin, end - begin + 1);
  }
  return size * count;
}

std::vector<std::string> make_environment(const std::map<std::string, std::string>& extra) {
  std::vector<std::string> out;
  for (const char* name : {"PATH", "HOME", "ASAN_OPTIONS", "LSAN_OPTIONS", "TSAN_OPTIONS", "UBSAN_OPTIONS"}) {
    if (const char* value = ::getenv(name)) out.push_back(std::string(name) + "=" + value);
  }
  for (const auto& [name, value] : extra) out.push_back(name + "=" + value);
  return out;
}

pid_t spawn(const std::vector<std::string>& argv, const std::vector<std::string>& environment, int in, int out, int err) {
  std::vector<char*> arguments;
  for (const auto& word : argv) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  std::vector<char*> variables;
  for (const auto& word : environment) variables.push_back(const_cast<char*>(word.c_str()));
  variables.push_back(nullptr);
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::dup2(in, 0);
    ::dup2(out, 1);
    ::dup2(err, 2);
    ::close_range(3, ~0U, 0);
    ::execvpe(arguments[0], arguments.data(), variables.data());
    ::_exit(127);
  }
  if (pid < 0) throw std::runtime_error("fork failed");
  return pid;
}

int reap(pid_t pid) {
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace

bool wait_until(const std::function<bool()>& done, std::chrono::milliseconds limit) {
  const auto end = std::chrono::steady_clock::now() + limit;
  while (!done()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds{5});
  }
  return true;
}

TempFolder::TempFolder() {
  std::string pattern = (fs::temp_directory_path() / "dbackup-test-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("cannot make a temporary folder");
  path_ = pattern;
}

TempFolder::~TempFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

DBackupServer::DBackupServer(Options options) : options_{std::move(options)} {
  auto& environment = options_.environment;
  environment.emplace("DBACKUP_DATA_DIR", data_dir().string());
  environment.emplace("DBACKUP_SERVER_PORT", "0");
  environment.emplace("DBACKUP_RATE_LIMITS_ENABLED", "false");
  // Handed on to workers and tools: by it descendants() tells them from those of another test's server.
  environment.emplace("TMPDIR", folder_.path().string());
  if (options_.with_test_plugins) environment.emplace("DBACKUP_PLUGINS_DIRS", ::dbackup::test::binary_dir() + "/lib/dbackup/test-plugins");
  key_ = make_key("*");
  start();
}

DBackupServer::~DBackupServer() {
  if (pid_ > 0) kill_hard();
}

void DBackupServer::start() {
  const std::string log_path = folder_ / "server.log";
  const size_t before = log().size();
  const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  const int err = ::open(log_path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  pid_ = spawn({kProgram, "serve"}, make_environment(options_.environment), null, null, err);
  ::close(null);
  ::close(err);
  const bool is_up = wait_until([&] {
    int status = 0;
    if (::waitpid(pid_, &status, WNOHANG) == pid_) {
      pid_ = -1;
      return true;
    }
    const std::string text = log().substr(before);
    std::smatch found;
    if (!std::regex_search(text, found, std::regex("listening on https?://[^ ]*:([0-9]+)"))) return false;
    port_ = std::stoi(found[1]);
    return call("GET", "/api/health").status == 200;
  });
  if (!is_up || pid_ < 0) throw std::runtime_error("the server did not start:\n" + log());
}

int DBackupServer::stop() {
  ::kill(pid_, SIGTERM);
  const int status = reap(pid_);
  pid_ = -1;
  return status;
}

void DBackupServer::kill_hard() {
  ::kill(pid_, SIGKILL);
  reap(pid_);
  pid_ = -1;
}

bool DBackupServer::is_https() const {
  const auto found = options_.environment.find("DBACKUP_TLS_ENABLED");
  return found != options_.environment.end() && found->second == "true";
}

std::string DBackupServer::url() const {
  return (is_https() ? "https://127.0.0.1:" : "http://127.0.0.1:") + std::to_string(port_);
}

std::string DBackupServer::log() const { return read_file(folder_.path() / "server.log"); }

Answer DBackupServer::call(const std::string& method, const std::string& path, const Json& body, const CallOptions& options) const {
  static const bool is_ready = ::curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
  if (!is_ready) throw std::runtime_error("curl is not usable");
  Answer answer;
  CURL* curl = ::curl_easy_init();
  const std::string url = path.starts_with("http") ? path : this->url() + path;
  ::curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  ::curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method.c_str());
  if (method == "HEAD") ::curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
  ::curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  ::curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, static_cast<long>(options.timeout.count()));
  // The first certificate the server ever showed here is the one it made itself: believed as it lies.
  const std::string ca = options_.ca_file.empty() ? (data_dir() / "private/tls.pem").string() : options_.ca_file;
  if (is_https()) ::curl_easy_setopt(curl, CURLOPT_CAINFO, ca.c_str());
  curl_slist* headers = nullptr;
  const std::string key = options.key.empty() ? key_ : options.key;
  if (key != "-") headers = ::curl_slist_append(headers, ("Authorization: Bearer " + key).c_str());
  const std::string text = body.is_null() ? "" : body.is_string() ? body.get<std::string>() : body.dump();
  if (!body.is_null()) {
    ::curl_easy_setopt(curl, CURLOPT_POSTFIELDS, text.c_str());
    ::curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, static_cast<long>(text.size()));
    headers = ::curl_slist_append(headers, "Content-Type: application/json");
  } else if (method == "POST" || method == "PUT") {
    ::curl_easy_setopt(curl, CURLOPT_POSTFIELDS, "");
  }
  for (const auto& [name, value] : options.headers) headers = ::curl_slist_append(headers, (name + ": " + value).c_str());
  ::curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
  ::curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, append);
  ::curl_easy_setopt(curl, CURLOPT_WRITEDATA, &answer.body);
  ::curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, header);
  ::curl_easy_setopt(curl, CURLOPT_HEADERDATA, &answer.headers);
  const CURLcode result = ::curl_easy_perform(curl);
  ::curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer.status);
  if (result != CURLE_OK) {
    answer.status = 0;
    answer.body = ::curl_easy_strerror(result);
  }
  ::curl_slist_free_all(headers);
  ::curl_easy_cleanup(curl);
  return answer;
}

std::pair<int, std::string> run_program(const std::vector<std::string>& argv, const std::string& input) {
  std::array<int, 2> out{};
  if (::pipe2(out.data(), O_CLOEXEC) != 0) throw std::runtime_error("pipe failed");
  TempFolder folder;
  std::ofstream{folder / "in", std::ios::binary} << input;
  const int in = ::open((folder / "in").c_str(), O_RDONLY | O_CLOEXEC);
  std::vector<std::string> environment;
  for (char** entry = environ; *entry != nullptr; ++entry) environment.emplace_back(*entry);
  const pid_t pid = spawn(argv, environment, in, out[1], 2);
  ::close(in);
  ::close(out[1]);
  std::string text;
  std::array<char, 65536> buffer{};
  for (ssize_t n = 0; (n = ::read(out[0], buffer.data(), buffer.size())) > 0;) text.append(buffer.data(), static_cast<size_t>(n));
  ::close(out[0]);
  return {reap(pid), text};
}

std::pair<int, std::string> DBackupServer::run_cli(const std::vector<std::string>& arguments) const {
  std::vector<std::string> argv{"env"};
  for (const auto& [name, value] : options_.environment) argv.push_back(name + "=" + value);
  argv.push_back(kProgram);
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  return run_program(argv);
}

std::string DBackupServer::make_key(const std::string& permissions) const {
  const auto [status, text] = run_cli({"key", "create", "--name", "test", "--permissions", permissions, "--json"});
  if (status != 0) throw std::runtime_error("key create failed");
  return Json::parse(text).at("key").get<std::string>();
}

std::string DBackupServer::create_adapter(const std::string& type, const std::string& kind, const Json& config, std::string name) {
  if (name.empty()) name = kind + " " + std::to_string(++counter_);
  const Answer answer = post("/api/adapters", {{"name", name}, {"type", type}, {"adapterId", kind}, {"config", config}});
  if (answer.status != 201) throw std::runtime_error("POST /api/adapters: " + answer.body);
  return answer.json().at("id").get<std::string>();
}

std::string DBackupServer::create_job(const Json& fields) {
  Json body{{"name", "job " + std::to_string(++counter_)}, {"schedule", "0 3 * * *"}};
  body.update(fields);
  const Answer answer = post("/api/jobs", body);
  if (answer.status != 201) throw std::runtime_error("POST /api/jobs: " + answer.body);
  return answer.json().at("id").get<std::string>();
}

std::string DBackupServer::run_job(const std::string& job_id, const Json& body) {
  const Answer answer = post("/api/jobs/" + job_id + "/run", body);
  if (answer.status != 200) throw std::runtime_error("POST run: " + answer.body);
  return answer.json().at("executionId").get<std::string>();
}

Json DBackupServer::wait_for(const std::string& execution_id, std::chrono::milliseconds limit) const {
  Json data;
  const bool has_ended = wait_until(
      [&] {
        const Answer answer = get("/api/executions/" + execution_id + "?includeLogs=true");
        if (answer.status != 200) return false;
        data = answer.json().at("data");
        const std::string status = data.at("status").get<std::string>();
        return status != "Pending" && status != "Running";
      },
      limit);
  if (!has_ended) throw std::runtime_error("the execution did not end: " + data.dump() + "\n" + log());
  return data;
}

Json DBackupServer::files(const std::string& storage_id) const {
  const Answer answer = get("/api/storage/" + storage_id + "/files?refresh=true");
  if (answer.status != 200) throw std::runtime_error("GET files: " + answer.body);
  return answer.json();
}

std::vector<pid_t> DBackupServer::descendants() const {
  std::vector<pid_t> out;
  for (const auto& entry : fs::directory_iterator("/proc")) {
    const std::string name = entry.path().filename().string();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    const std::string command = read_file(entry.path() / "cmdline");
    const std::string environment = read_file(entry.path() / "environ");
    std::error_code failed;
    const std::string program = fs::read_symlink(entry.path() / "exe", failed).string();
    const pid_t pid = static_cast<pid_t>(std::stol(name));
    const bool is_ours = environment.find("TMPDIR=" + folder_.path().string()) != std::string::npos;
    if (pid != pid_ && is_ours && program == kProgram && command.find("worker") != std::string::npos) out.push_back(pid);
  }
  return out;
}

std::vector<std::string> files_below(const fs::path& folder) {
  std::vector<std::string> out;
  std::error_code failed;
  for (const auto& entry : fs::recursive_directory_iterator(folder, failed)) {
    if (entry.is_regular_file()) out.push_back(entry.path().lexically_relative(folder).string());
  }
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace dbackup::testing
