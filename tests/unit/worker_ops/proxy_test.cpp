#include <gmock/gmock.h>

#include <fstream>

#include "tests/unit/worker_ops/plugin_fixture.hpp"
#include "worker/plugin/source_proxy.hpp"
#include "worker/plugin/storage_proxy.hpp"

namespace dbackup::test {
namespace {

using host::CallContext;
using host::Error;
using host::ErrorCode;
using host::Json;
using testing::HasSubstr;

class CallAnswer : public testing::Test {
 protected:
  Error failure_of(dbackup_status status) {
    try {
      context_.finish(status);
    } catch (const Error& error) {
      return error;
    }
    return Error(ErrorCode::Internal, "it succeeded");
  }
  void answer(std::string_view json) {
    context_.raw()->result(context_.raw()->ctx, host::borrow(json));
  }

  RecordingJournal journal_;
  host::CancelToken cancel_;
  CallContext context_{host::PluginLibrary::load(kProbe, journal_), journal_, cancel_};
};

TEST_F(CallAnswer, IsTheObjectThePluginGave) {
  answer(R"({"removed":true})");
  EXPECT_EQ(context_.finish(DBACKUP_OK), Json({{"removed", true}}));
}

TEST_F(CallAnswer, NamesThePluginWhenItIsGarbage) {
  for (const char* garbage : {"{", "[1]", "\xff\xfe", "42"}) {
    answer(garbage);
    const Error error = failure_of(DBACKUP_OK);
    EXPECT_EQ(error.code(), ErrorCode::Internal) << garbage;
    EXPECT_THAT(error.what(), HasSubstr("org.dbackup.test.probe"));
  }
}

TEST_F(CallAnswer, NamesThePluginWhenItFailsWithoutWords) {
  const Error error = failure_of(DBACKUP_UNAVAILABLE);
  EXPECT_EQ(error.code(), ErrorCode::Unavailable);
  EXPECT_THAT(error.what(), HasSubstr("Probe"));
  EXPECT_EQ(failure_of(999).code(), ErrorCode::Internal);
  EXPECT_EQ(failure_of(-5).code(), ErrorCode::Internal);
}

TEST_F(CallAnswer, CarriesWordsAndDetailOfTheLastFailure) {
  context_.fail(ErrorCode::NotFound, "first", "why");
  context_.fail(ErrorCode::Unavailable, "second");
  const Error error = failure_of(DBACKUP_UNAVAILABLE);
  EXPECT_STREQ(error.what(), "second");
  EXPECT_EQ(error.detail(), "first\nwhy");
}

TEST_F(CallAnswer, IsTheCancellationWhateverThePluginSays) {
  cancel_.cancel(Error(ErrorCode::Cancelled, "cancelled"));
  context_.fail(ErrorCode::Aborted, "the tool was killed");
  EXPECT_EQ(failure_of(DBACKUP_ABORTED).code(), ErrorCode::Cancelled);
}

TEST_F(CallAnswer, IsNoCancellationWhenNobodyCancelled) {
  context_.fail(ErrorCode::Cancelled, "gave up");
  EXPECT_EQ(failure_of(DBACKUP_CANCELLED).code(), ErrorCode::Aborted);
}

class TextSink final : public host::ByteSink {
 public:
  void write(host::Bytes bytes) override {
    text.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }
  void finish() override {}
  void abort(const host::Cause&) noexcept override {}
  std::string text;
};

TEST(StorageProxy, ReadsRangesFromAPluginThatReadsNone) {
  TemporaryFolder folder;
  std::string content;
  for (int i = 0; i < 5000; ++i) content += std::to_string(i) + " ";
  std::ofstream{folder / "file"} << content;
  RecordingJournal journal;
  host::StorageProxy storage{{.plugin_path = kProbe,
                              .adapter_id = "probe-storage",
                              .config = {{"basePath", folder.path()}}},
                             journal,
                             host::CancelToken{}};
  for (const auto& [offset, length] : {std::pair{0, 10}, {999, 2}, {1000, 5000}, {12345, 1}}) {
    TextSink sink;
    const uint64_t came =
        storage.get("file", static_cast<uint64_t>(offset), static_cast<uint64_t>(length), sink);
    EXPECT_EQ(sink.text, content.substr(static_cast<size_t>(offset), static_cast<size_t>(length)));
    EXPECT_EQ(came, sink.text.size());
  }
  TextSink rest;
  storage.get("file", 20'000, std::nullopt, rest);
  EXPECT_EQ(rest.text, content.substr(20'000));
}

TEST(SourceProxy, SaysWhatAnAdapterDoesNotOffer) {
  RecordingJournal journal;
  host::SourceProxy source{{.plugin_path = kProbe, .adapter_id = "probe-source"}, journal, {}};
  try {
    source.list_databases([](const Json&) {});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::Unimplemented);
    EXPECT_THAT(error.what(), HasSubstr("probe-source"));
  }
}

host::SourceProxy probe(RecordingJournal& journal, const std::string& behaviour) {
  return host::SourceProxy{
      {.plugin_path = kProbe, .adapter_id = "probe-source", .config = {{"behaviour", behaviour}}},
      journal,
      {}};
}

TEST(SourceProxy, HandsOnTablesAndRowsWithoutWhatNobodyKnows) {
  RecordingJournal journal;
  host::SourceProxy source = probe(journal, "");
  std::vector<Json> items;
  const auto keep = [&](const Json& item) { items.push_back(item); };
  source.tables("db", keep);
  EXPECT_EQ(items, (std::vector<Json>{{{"name", "db-table"}, {"type", "table"}, {"rowCount", 2}}}));
  items.clear();
  source.rows({{"table", "t"}, {"pageSize", 2}}, keep);
  ASSERT_EQ(items.size(), 3U);
  EXPECT_EQ(items[0]["columns"], Json::array({{{"name", "a"}, {"dataType", "int"}}}));
  EXPECT_EQ(items[1], (Json{{"a", "text"}}));
}

TEST(SourceProxy, BlamesThePluginForTablesAndRowsOfAnotherShape) {
  RecordingJournal journal;
  const auto fault_of = [&](const std::string& behaviour, bool of_rows) {
    host::SourceProxy source = probe(journal, behaviour);
    try {
      if (of_rows) {
        source.rows({{"table", "t"}, {"pageSize", 2}}, [](const Json&) {});
      } else {
        source.tables("db", [](const Json&) {});
      }
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), HasSubstr("Probe")) << behaviour;
      return error.code();
    }
    return ErrorCode::NotFound;  // it passed
  };
  for (const char* behaviour : {"oddType", "noName", "oddCount"})
    EXPECT_EQ(fault_of(behaviour, false), ErrorCode::Internal) << behaviour;
  for (const char* behaviour : {"noHead", "oddCount", "tooMany", "oddCell", "oddColumn"})
    EXPECT_EQ(fault_of(behaviour, true), ErrorCode::Internal) << behaviour;
}

TEST(StorageProxy, SaysThatAnAdapterCannotBrowse) {
  TemporaryFolder folder;
  RecordingJournal journal;
  host::StorageProxy storage{{.plugin_path = kProbe,
                              .adapter_id = "probe-storage",
                              .config = {{"basePath", folder.path()}}},
                             journal,
                             host::CancelToken{}};
  try {
    storage.browse("", [](const std::string&, const std::string&) {});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::Unimplemented);
  }
}

TEST(SourceProxy, TurnsAnythingThrownIntoAnErrorThatNamesThePlugin) {
  RecordingJournal journal;
  host::SourceProxy source{
      {.plugin_path = kProbe, .adapter_id = "probe-source", .config = {{"behaviour", "throw"}}},
      journal,
      {}};
  try {
    source.test();
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::Internal);
    EXPECT_THAT(error.what(), HasSubstr("Probe"));
  }
}

}  // namespace
}  // namespace dbackup::test
