// Compiled into the binding. TensorFlow 2.21 applies TF_CPP_MIN_LOG_LEVEL to all of its log lines only when it is
// loaded by Python, and writes the first one while its library is being loaded. This runs before that: the binding is
// linked with `-z initfirst`.
#include <cstdlib>

#include "absl/base/log_severity.h"
#include "absl/log/globals.h"

namespace {

const bool quiet = [] {
  const char* level = std::getenv("TF_CPP_MIN_LOG_LEVEL");
  if (level != nullptr) absl::SetMinLogLevel(static_cast<absl::LogSeverityAtLeast>(std::atoi(level)));
  return true;
}();

}  // namespace
