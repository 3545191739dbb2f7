# Variables of libraries that the program did not use before: what std::shared_ptr asks for, one that is read, one that
# is written.
sed -i 's|return question + ++asked;|optarg = const_cast<char*>("seven");\
  const std::shared_ptr<int> first = std::make_shared<int>(question + ++asked), second = first;\
  return 1000 * *second + 100 * static_cast<int>(second.use_count()) + (stderr != nullptr ? 10 : 0) + (optarg[0] == 115);|' app.cpp
