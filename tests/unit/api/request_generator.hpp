#pragma once

#include <map>
#include <random>
#include <string>
#include <vector>

#include "api/route_table.hpp"
#include "tests/unit/api/api_fixture.hpp"

namespace dbackup::host::testing {

/// How far a generated request goes from what its row asks for.
enum class Fit {
  Valid,     ///< fits its schemas; the values are likely ones
  Boundary,  ///< fits its schemas at their limits: shortest, longest, least, greatest, null
  Broken,    ///< one thing about it does not fit
};
std::string_view to_string(Fit fit);

struct GeneratedRequest {
  Method method = Method::Get;
  std::string target;
  Sent sent;
  /// The body is JSON that the row would look at and that its schema does not admit.
  bool breaks_schema = false;
  std::string text() const;  ///< for a failure's message
};

/// Requests made from rows, and from what earlier answers told. The same seed and the same answers
/// give the same requests.
class RequestGenerator {
 public:
  explicit RequestGenerator(uint64_t seed) : random_{seed} {}

  GeneratedRequest make(const RouteRow& row, Fit fit);
  /// Remembers ids, names, paths and entity tags that an answer shows.
  void learn(const RouteRow& row, const GeneratedRequest& request, const Answer& answer);
  void know(const std::string& kind, const std::string& value);

 private:
  void forget(const std::string& value);
  void learn_from(const std::string& noun, const Json& value, int depth);
  std::string id_for(const RouteRow& row, size_t segment);
  std::string text_for(const Json& schema, const std::string& name, Fit fit);
  Json value_for(const Json& schema, const std::string& name, Fit fit, int depth);
  Json anything(int depth);
  Json mutated(const Json& schema, Json value);
  std::string query_for(const RouteRow& row, Fit fit);
  std::string form_for(const RouteRow& row, Fit fit);
  void add_headers(const RouteRow& row, Fit fit, GeneratedRequest& request);
  bool one_in(uint64_t n) { return random_() % n == 0; }
  template <class List>
  const auto& any_of(const List& list) {
    return *std::next(std::begin(list), static_cast<ptrdiff_t>(random_() % std::size(list)));
  }

  std::mt19937_64 random_;
  uint64_t made_ = 0;
  uint64_t density_ = 0;  ///< one in so many optional members is there; 0: none
  std::map<std::string, std::vector<std::string>> known_;  ///< by noun: "jobs", "file", "etag …"
};

}  // namespace dbackup::host::testing
