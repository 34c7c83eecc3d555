#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>

namespace dbackup::host {

/// Up to so many rows a list counts each time; beyond it the count is a kept answer.
inline constexpr int64_t kCountedEachTime = 2'000;

/// Answers that are dear to find, kept for a while by what was asked: a second at least, and a hundred
/// times as long as finding one took, so that however often it is asked for, no more than about one
/// part in a hundred of the time goes into it. While one caller finds an answer anew, the others get
/// the one before. [any-thread]
template <class T>
class KeptAnswers {
 public:
  /// What is kept of it and good still, or being found anew.
  std::optional<T> known(const std::string& question) {
    const std::lock_guard lock{mutex_};
    const auto found = answers_.find(question);
    if (found == answers_.end() || !found->second.value) return std::nullopt;
    const bool is_good = Steady::now() < found->second.good_until || found->second.is_wanted;
    return is_good ? found->second.value : std::nullopt;
  }
  /// `find` may throw; then nothing is kept.
  template <class Find>
  T get(const std::string& question, Find find) {
    const auto asked_at = Steady::now();
    {
      const std::lock_guard lock{mutex_};
      const auto known = answers_.find(question);
      if (known != answers_.end() && known->second.value) {
        if (asked_at < known->second.good_until) return *known->second.value;
        if (known->second.is_wanted) return *known->second.value;
        known->second.is_wanted = true;
      }
    }
    try {
      T value = find();
      const auto now = Steady::now();
      const std::lock_guard lock{mutex_};
      if (answers_.size() >= kMost) forget_old(now);
      answers_[question] = {.value = value,
                            .good_until = now + std::max<Steady::duration>(kLeast, (now - asked_at) * kTimes)};
      return value;
    } catch (...) {
      const std::lock_guard lock{mutex_};
      answers_.erase(question);
      throw;
    }
  }

 private:
  using Steady = std::chrono::steady_clock;
  static constexpr size_t kMost = 256;
  static constexpr std::chrono::seconds kLeast{1};
  static constexpr int kTimes = 100;

  struct Kept {
    std::optional<T> value;
    Steady::time_point good_until;
    bool is_wanted = false;  ///< somebody finds it anew
  };
  void forget_old(Steady::time_point now) {
    std::erase_if(answers_, [&](const auto& entry) { return entry.second.good_until < now; });
    if (answers_.size() >= kMost) answers_.clear();
  }

  std::mutex mutex_;
  std::map<std::string, Kept> answers_;
};

/// How many rows there are, `count(most)` counting up to `most`, 0: all. A kept answer is one that was
/// beyond kCountedEachTime, so it spares even the short count.
template <class Count>
int64_t counted_or_kept(KeptAnswers<int64_t>& kept, const std::string& question, Count count) {
  if (const auto known = kept.known(question)) return *known;
  const int64_t few = count(kCountedEachTime + 1);
  return few <= kCountedEachTime ? few : kept.get(question, [&] { return count(0); });
}

}  // namespace dbackup::host
