metadata description = 'What is wrong with a parameter, in words that name it and its value; empty where it is right.'

var letters = 'abcdefghijklmnopqrstuvwxyz'
var digits = '0123456789'

@description('Whether a text is made of these characters only.')
func madeOf(text string, characters string) bool =>
  empty(filter(range(0, length(text)), i => !contains(characters, substring(text, i, 1))))

@description('Whether a text is a GUID.')
func isGuid(text string) bool =>
  join(map(split(text, '-'), part => string(length(part))), '-') == '8-4-4-4-12' && madeOf(
    toLower(text),
    'abcdef-${digits}'
  )

@description('Whether the segments of a lower-case id begin with a resource group, and none is empty or odd.')
func isInGroup(segments string[]) bool =>
  empty(filter(skip(segments, 1), segment => empty(segment) || !madeOf(segment, '-_.()${letters}${digits}'))) && join(
    [segments[?0] ?? '-', segments[?1] ?? '', segments[?3] ?? ''],
    '/'
  ) == '/subscriptions/resourcegroups' && isGuid(segments[?2] ?? '')

@description('The type that the segments of a lower-case id name; empty where they name none.')
func typeOf(segments string[]) string =>
  isInGroup(segments) && length(segments) > 8 && length(segments) % 2 == 1 && (segments[?5] ?? '') == 'providers'
    ? join(map(filter(range(6, length(segments) - 6), i => i == 6 || i % 2 == 1), i => segments[i]), '/')
    : ''

@export()
@description('About the resource id of a type, such as Microsoft.KeyVault/vaults.')
func aboutId(parameter string, value string, type string) string =>
  typeOf(split(toLower(value), '/')) == toLower(type)
    ? ''
    : '${parameter} \'${value}\' is no resource id of ${type}, which has /subscriptions/GUID/resourceGroups/GROUP/providers before it and no slash at its end.'

@export()
@description('About the resource id of a resource group.')
func aboutGroupId(parameter string, value string) string =>
  isInGroup(split(toLower(value), '/')) && length(split(value, '/')) == 5
    ? ''
    : '${parameter} \'${value}\' is no resource id of a resource group, which is /subscriptions/GUID/resourceGroups/GROUP.'

@export()
@description('About an object id or client id.')
func aboutGuid(parameter string, value string) string =>
  isGuid(value) ? '' : '${parameter} \'${value}\' is no GUID: take the id, not the name.'

@export()
@description('About a name of letters, digits and these others, which begins with a letter.')
func aboutName(parameter string, value string, others string) string =>
  madeOf(toLower(value), '${others}${letters}${digits}') && contains(letters, toLower(take('${value}-', 1)))
    ? ''
    : '${parameter} \'${value}\' may have letters, digits${empty(others) ? '' : ' and ${others}'} only, and a letter first.'

@export()
@description('About a name of letters, digits and these others; empty is none.')
func aboutText(parameter string, value string, others string) string =>
  madeOf(toLower(value), '${others}${letters}${digits}')
    ? ''
    : '${parameter} \'${value}\' may have letters, digits and ${others} only.'

@export()
@description('About the beginning of all names, which is part of some that take less than others.')
func aboutPrefix(parameter string, value string) string =>
  empty(aboutName(parameter, value, '-')) && value == toLower(value) && !contains('${value}-', '--')
    ? ''
    : '${parameter} \'${value}\' may have lower-case letters, digits and single hyphens, a letter first and no hyphen last.'

@export()
@description('About a list in which nothing may stand twice, in whatever letters.')
func aboutTwice(parameter string, values string[]) string =>
  empty(repeated(map(values, value => toLower(value))))
    ? ''
    : '${parameter} may not have twice: ${join(repeated(map(values, value => toLower(value))), ', ')}.'

@description('The texts that stand more than once, each as often as it does.')
func repeated(values string[]) string[] => filter(values, value => length(filter(values, other => other == value)) > 1)

@export()
@description('About an e-mail address.')
func aboutMail(parameter string, value string) string =>
  length(split(value, '@')) == 2 && !contains(value, ' ') && !startsWith(value, '@') && !endsWith(value, '@')
    ? ''
    : '${parameter} \'${value}\' is no e-mail address.'

@export()
@description('About an address.')
func aboutUrl(parameter string, value string) string =>
  startsWith(toLower(value), 'http') && contains(value, '://') && madeOf(toLower(value), ':/.-_~%[]${letters}${digits}')
    ? ''
    : '${parameter} \'${value}\' is no address such as https://HOST, without a name, a query or a blank in it.'

@export()
@description('About the base of all organizations: a server\'s own has a path, and Microsoft\'s has none.')
func aboutDevOps(parameter string, value string) string =>
  empty(value) || !(endsWith(hostOf(value), 'dev.azure.com') && contains(pathOf(value), '/') || endsWith(
      hostOf(value),
      '.visualstudio.com'
    ) || endsWith(hostOf(value), '.dev.azure.com'))
    ? ''
    : '${parameter} \'${value}\' has an organization in it: routes name organizations, and this is https://dev.azure.com.'

@description('The host of an address.')
func hostOf(url string) string => split(pathOf(url), '/')[0]

@description('The host and the path of an address, without a slash at its end.')
func pathOf(url string) string => join(filter(skip(split(toLower(url), '/'), 2), part => !empty(part)), '/')
