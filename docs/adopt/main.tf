variable "rest_api_id" { type = string }
variable "user_pool_id" { type = string }
variable "client_ids" { type = string }
data "aws_caller_identity" "me" {}
data "aws_region" "here" {}
data "archive_file" "routes" {
  type        = "zip"
  source_file = "routes.json"
  output_path = "routes.zip"
}
resource "aws_lambda_layer_version" "routes" {
  layer_name       = "scopegate-routes"
  filename         = data.archive_file.routes.output_path
  source_code_hash = data.archive_file.routes.output_base64sha256
}
module "scopegate_function" { # or your own aws_lambda_function with a role that may write its log
  source                 = "terraform-aws-modules/lambda/aws"
  version                = "~> 8.0"
  function_name          = "scopegate-authorizer"
  handler                = "bootstrap"
  runtime                = "provided.al2023"
  architectures          = ["arm64"]
  memory_size            = 256
  timeout                = 5
  create_package         = false
  local_existing_package = "authorizer-arm64.zip"
  layers                 = [aws_lambda_layer_version.routes.arn]
  environment_variables  = { USER_POOL_ID = var.user_pool_id, CLIENT_IDS = var.client_ids }
}
resource "aws_lambda_permission" "api" {
  action        = "lambda:InvokeFunction"
  function_name = module.scopegate_function.lambda_function_name
  principal     = "apigateway.amazonaws.com"
  source_arn    = "arn:aws:execute-api:${data.aws_region.here.region}:${data.aws_caller_identity.me.account_id}:${var.rest_api_id}/authorizers/*"
}
resource "aws_api_gateway_authorizer" "scopegate" { # each method: authorization = "CUSTOM", authorizer_id = this one's id
  name           = "scopegate"
  rest_api_id    = var.rest_api_id
  authorizer_uri = "arn:aws:apigateway:${data.aws_region.here.region}:lambda:path/2015-03-31/functions/${module.scopegate_function.lambda_function_arn}/invocations"
}
