#include "services/bulk.hpp"

#include <set>

#include "base/error.hpp"
#include "base/logging.hpp"

namespace dbackup::host {
namespace {

std::string known_name(const std::function<std::string(const std::string&)>& name_of,
                       const std::string& entry) {
  if (!name_of) return "";
  try {
    return name_of(entry);
  } catch (const Error&) {
    return "";
  }
}

}  // namespace

std::vector<std::string> bulk_entries(const std::vector<std::string>& entries,
                                      std::string_view field) {
  const std::string subject = "\"" + std::string{field} + "\" must ";
  if (entries.empty()) throw Error(ErrorCode::InvalidArgument, subject + "not be empty");
  if (entries.size() > kMostBulkEntries) {
    throw Error(ErrorCode::InvalidArgument,
                subject + "have at most " + std::to_string(kMostBulkEntries) + " entries");
  }
  std::set<std::string> seen;
  std::vector<std::string> out;
  for (const std::string& entry : entries) {
    if (entry.empty()) throw Error(ErrorCode::InvalidArgument, subject + "not hold empty texts");
    if (seen.insert(entry).second) out.push_back(entry);
  }
  return out;
}

BulkOutcome run_bulk(const std::vector<std::string>& entries,
                     const std::function<void(const std::string&)>& one,
                     const std::function<std::string(const std::string&)>& name_of) {
  BulkOutcome out;
  for (const std::string& entry : entries) {
    // Asked first: afterwards the entry may be gone.
    std::string name = known_name(name_of, entry);
    try {
      one(entry);
      out.succeeded.push_back(entry);
    } catch (const Error& error) {
      if (!error.detail().empty()) log_info("\"" + entry + "\": " + error.detail());
      out.failed.push_back({entry, std::move(name), error.what()});
    }
  }
  return out;
}

std::string bulk_message(const BulkOutcome& outcome, const BulkWords& words) {
  const size_t all = outcome.requested();
  const size_t done = outcome.succeeded.size();
  const std::string noun{all == 1 ? words.one : words.many};
  if (done == 0) {
    return "Could not " + std::string{words.verb} + " " + std::to_string(all) + " " + noun;
  }
  const std::string of_all = done == all ? "" : " of " + std::to_string(all);
  return std::to_string(done) + of_all + " " + noun + " " + std::string{words.past};
}

Json bulk_audit(std::string_view action, const BulkOutcome& outcome) {
  return {{"bulk", true},
          {"action", std::string{action}},
          {"requested", outcome.requested()},
          {"succeeded", outcome.succeeded.size()},
          {"failed", outcome.failed.size()}};
}

}  // namespace dbackup::host
