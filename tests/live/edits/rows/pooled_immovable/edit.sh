# A mutex cannot be moved.
sed -i 's/^  std::mutex mutex_;/  long step_ = 100;\n&/; s/number_ += by/number_ += by * int(step_)/' app.cpp
