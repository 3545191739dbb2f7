sed -i '/int helper/d; s/helper(std::atoi(question))/std::atoi(question) + 5/' app.cpp
