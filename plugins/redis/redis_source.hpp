#pragma once

#include <dbackup/source.hpp>
#include <functional>

#include "settings.hpp"

namespace dbackup::redis {

/// Redis and Valkey: takes the RDB file as a replica would, and restores it key by key.
class RedisSource final : public Source {
 public:
  /// Throws Error{InvalidArgument} for options that could not work.
  explicit RedisSource(const Config& config);

  TestResult test(Call& call) override;
  DumpResult dump(Call& call, const DumpRequest& request, Writer& out) override;
  void restore(Call& call, const RestoreRequest& request, Reader& in) override;
  void list_databases(Call& call, const std::function<void(const DatabaseInfo&)>& found);
  void prepare_restore(Call& call, const PrepareRestoreRequest& request);
  void tables(Call& call, const Config& request, ItemSink& sink);
  void rows(Call& call, const Config& request, ItemSink& sink);

 private:
  Settings settings_;
};

}  // namespace dbackup::redis
