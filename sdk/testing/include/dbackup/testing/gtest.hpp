#pragma once

#include <gtest/gtest.h>

#include <dbackup/testing/conformance.hpp>

namespace dbackup::testing {

/// The conformance checks as a GoogleTest assertion: EXPECT_TRUE(conforms(adapter, {.config = …}));
inline ::testing::AssertionResult conforms(const dbackup_adapter& adapter,
                                           const CheckOptions& options) {
  const auto findings = check_adapter(adapter, options);
  if (findings.empty()) return ::testing::AssertionSuccess();
  auto result = ::testing::AssertionFailure()
                << findings.size() << " findings for \"" << adapter.id << "\"";
  for (const Finding& finding : findings)
    result << "\n  " << finding.check << ": " << finding.sentence;
  return result;
}

}  // namespace dbackup::testing
